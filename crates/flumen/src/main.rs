#![doc = include_str!("../README.md")]

mod arguments;
mod command;
mod config;
mod doctor;
mod failure;
mod local;
mod lock;
mod logging;
mod runtime;
mod serve;
mod settings;
mod supervised;
mod up;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    // Before anything else: these make namespaces, which must happen before there is a second thread.
    if arguments.next_if(|word| word == "__pod").is_some() {
        return flumen_kubelet::pod_main(arguments);
    }
    if arguments.next_if(|word| word == doctor::PROBE).is_some() {
        return doctor::probe();
    }
    command::run()
}
