use std::process::{Command, Stdio};

use nix::errno::Errno;

use super::{Finding, PROBE};

pub(super) fn user() -> Finding {
    const NAME: &str = "user";
    if rustix::process::geteuid().is_root() {
        Finding::ok(NAME, "root")
    } else {
        Finding::fail(
            NAME,
            "not root: the local cluster needs root for now",
            "run `flumen up` and `flumen local` as root; all other commands work as any user",
        )
    }
}

pub(super) fn namespaces() -> Finding {
    const NAME: &str = "namespaces";
    let remedy = "allow them: user.max_user_namespaces must not be 0 (sysctl), and in a container SYS_ADMIN is needed";
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Finding::warn(NAME, format!("could not be tried: {error}"), remedy),
    };
    let nothing = Stdio::null;
    let tried = Command::new(program)
        .arg(PROBE)
        .stdin(nothing())
        .stdout(nothing())
        .stderr(nothing())
        .status();
    match tried {
        Ok(status) if status.success() => {
            Finding::ok(NAME, "user, mount, pid, network, ipc and uts namespaces can be made")
        }
        Ok(status) => {
            let reason = status
                .code()
                .map_or_else(|| status.to_string(), |code| Errno::from_raw(code).to_string());
            Finding::fail(
                NAME,
                format!("the kernel does not let pods have namespaces: {reason}"),
                remedy,
            )
        }
        Err(error) => Finding::warn(NAME, format!("could not be tried: {error}"), remedy),
    }
}

pub(super) fn overlay() -> Finding {
    const NAME: &str = "overlay file system";
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.split_whitespace().any(|word| word == "overlay") {
        Finding::ok(NAME, "the kernel has it")
    } else {
        Finding::fail(
            NAME,
            "the kernel does not have it, and pods need it for their images",
            "load it: modprobe overlay",
        )
    }
}
