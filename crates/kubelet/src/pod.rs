//! The processes below the kubelet: `supervise` (one per node), `sandbox` (makes a pod's namespaces and ends),
//! `container` and `execute` (prepare themselves, then become the container's command).
//!
//! Each stage is a fresh, single-threaded execution of the same program, so nothing is ever forked with threads.

mod container;
mod devices;
mod execute;
mod failure;
mod identity;
mod keyring;
mod mounts;
mod namespaces;
mod program;
mod root;
mod sandbox;
mod supervise;

use std::{ffi::OsString, io::Write, process::ExitCode};

use failure::Failure;

/// Entry point of the re-executed program; `args` are those after the hidden subcommand.
///
/// Call it first thing in `main`, before any thread or runtime exists.
pub fn pod_main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<String> = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["supervise"] => supervise::run(),
        ["sandbox", hostname] => sandbox::run(hostname),
        ["container", report, user_namespace] => container::run(report, user_namespace),
        ["execute", report, user_namespace, mount_namespace, input @ ..] => {
            execute::run(report, user_namespace, mount_namespace, input.first().copied())
        }
        _ => Err(Failure::new(
            "this subcommand is for the kubelet's own use",
            std::io::ErrorKind::InvalidInput.into(),
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell when standard error is closed too.
            let _ = writeln!(std::io::stderr(), "{failure}: {}", failure.source);
            ExitCode::from(128)
        }
    }
}
