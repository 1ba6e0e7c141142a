#![doc = include_str!("../README.md")]

mod arguments;
mod command;
mod config;
mod doctor;
mod drop_in;
mod failure;
mod local;
mod lock;
mod logging;
mod runtime;
mod serve;
mod settings;
mod supervised;
mod up;

use std::{ffi::OsStr, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called_by = arguments.next();
    let mut arguments = arguments.peekable();
    // Before anything else: these make namespaces, which must happen before there is a second thread.
    if arguments.next_if(|word| word == "__pod").is_some() {
        return flumen_kubelet::pod_main(arguments);
    }
    if arguments.next_if(|word| word == doctor::PROBE).is_some() {
        return doctor::probe(arguments.next().as_deref().and_then(OsStr::to_str));
    }
    // Flink's options are not those of clap.
    if let Some(program) = drop_in::called_by(called_by.as_deref()) {
        return drop_in::run(program, arguments, called_by);
    }
    if let Some(program) = arguments.peek().and_then(|word| drop_in::subcommand(word)) {
        return drop_in::run(program, arguments.skip(1), None);
    }
    command::run()
}
