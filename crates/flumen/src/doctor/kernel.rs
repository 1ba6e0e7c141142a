//! What the kernel lets pods have.

use std::{
    fs, io,
    io::Write as _,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, Result};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use super::{Finding, PROBE};

/// The word that makes the probe try this instead of namespaces.
const OVERLAY: &str = "overlay";
const AS_ROOT: &str = "or run `flumen up` and `flumen local` as root";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(super) fn user() -> Finding {
    let seen = if is_root() {
        "root"
    } else {
        "not root: in the local cluster all users of pods are this one, and limits are not enforced"
    };
    Finding::ok("user", seen)
}

pub(super) fn namespaces() -> Finding {
    const NAME: &str = "namespaces";
    let remedy = if is_root() {
        "allow them: user.max_user_namespaces must not be 0 (sysctl), and in a container SYS_ADMIN is needed"
            .to_owned()
    } else {
        format!("allow them, {AS_ROOT}")
    };
    match try_out(&[]) {
        Ok(None) => {
            Finding::ok(NAME, "user, mount, pid, network, ipc and uts namespaces can be made")
        }
        Ok(Some(reason)) => {
            Finding::fail(NAME, format!("pods cannot have namespaces: {reason}"), remedy)
        }
        Err(error) => Finding::warn(NAME, format!("could not be tried: {error}"), remedy),
    }
}

pub(super) fn overlay() -> Finding {
    const NAME: &str = "overlay file system";
    let remedy = if is_root() {
        "load it: modprobe overlay".to_owned()
    } else {
        format!(
            "users other than root may mount it from Linux 5.11 on: take such a kernel, {AS_ROOT}"
        )
    };
    match try_out(&[OVERLAY]) {
        Ok(None) => Finding::ok(NAME, "it can be mounted"),
        Ok(Some(reason)) => {
            let detail =
                format!("it cannot be mounted, and pods need it for their images: {reason}");
            Finding::fail(NAME, detail, remedy)
        }
        Err(error) => Finding::warn(NAME, format!("could not be tried: {error}"), remedy),
    }
}

/// Why it cannot be done, if it cannot.
fn try_out(words: &[&str]) -> io::Result<Option<String>> {
    let output = Command::new(std::env::current_exe()?)
        .arg(PROBE)
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let reason = if said.is_empty() { output.status.to_string() } else { said };
    Ok((!output.status.success()).then_some(reason))
}

/// Tries what pods need, as the local cluster does it, in a process of one thread; says on standard output why it cannot be
/// done.
pub(crate) fn probe(what: Option<&str>) -> ExitCode {
    let is_root = is_root();
    let entered = flumen_localcluster::enter_user_namespace().map_err(anyhow::Error::from);
    let tried = entered.and_then(|()| match what {
        Some(OVERLAY) => mount_overlay(!is_root),
        _ => make_namespaces(),
    });
    match tried {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Who does not read it sees the status.
            let _ = writeln!(io::stdout(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn make_namespaces() -> Result<()> {
    let all = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    unshare(all).context("could not make those of a pod")
}

/// In a mount namespace of its own, on a file system in memory: nothing of it stays.
fn mount_overlay(in_user_namespace: bool) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("could not make a mount namespace")?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .context("could not keep mounts apart")?;
    let place = std::env::temp_dir();
    mount(Some("tmpfs"), &place, Some("tmpfs"), MsFlags::empty(), None::<&str>).with_context(
        || format!("could not mount a file system in memory at {}", place.display()),
    )?;
    std::env::set_current_dir(&place).context("could not enter it")?;
    for name in ["lower", "upper", "work", "root"] {
        fs::create_dir(name).context("could not make a directory")?;
    }
    // As pods mount it; users other than root keep its notes in attributes of their own.
    let notes = if in_user_namespace { ",userxattr" } else { "" };
    let options = format!("lowerdir=lower,upperdir=upper,workdir=work,volatile{notes}");
    mount(Some("overlay"), "root", Some("overlay"), MsFlags::empty(), Some(options.as_str()))
        .context("could not mount the overlay file system")
}
