//! The kubelet as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == "__pod") {
        return flumen_kubelet::pod_main(args);
    }
    ExitCode::FAILURE
}
