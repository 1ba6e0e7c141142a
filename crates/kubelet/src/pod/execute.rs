//! A further process in a running container (probes, hooks, `exec`).

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
};

use nix::sched::CloneFlags;
use rustix::{
    fs::{Mode, OFlags},
    pty::OpenptFlags,
};

use super::{
    container::{join, read_configuration, report, take_inherited},
    failure::{Failure, during},
    identity::{self, User},
    keyring, namespaces, program,
};
use crate::protocol::{self, Execution};

/// Of the file system in which terminals are (`DEVPTS_SUPER_MAGIC`).
const TERMINALS: u64 = 0x1cd1;
/// What a terminal is called in the environment of its process.
const TERM: (&str, &str) = ("TERM", "xterm");

pub(super) fn run(
    report_descriptor: &str,
    user_namespace: &str,
    mount_namespace: &str,
    input: Option<&str>,
) -> Result<(), Failure> {
    let channel = take_inherited(report_descriptor, true)?;
    let user_namespace = take_inherited(user_namespace, false)?;
    let mount_namespace = take_inherited(mount_namespace, false)?;
    let input = input.map(|number| take_inherited(number, false)).transpose()?;
    become_command(&user_namespace, &mount_namespace, input)
        .map_err(|failure| report(channel, failure))
}

fn become_command(
    user_namespace: &OwnedFd,
    mount_namespace: &OwnedFd,
    input: Option<OwnedFd>,
) -> Result<(), Failure> {
    let mut execution: Execution = read_configuration()?;
    rustix::process::setsid().map_err(during("start a session"))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    join(&execution.cgroups)?;
    namespaces::enter(mount_namespace, CloneFlags::CLONE_NEWNS)?;
    if execution.terminal {
        open_terminal()?;
        if execution.environment.iter().all(|(name, _)| name != TERM.0) {
            execution.environment.push((TERM.0.to_owned(), TERM.1.to_owned()));
        }
    } else {
        let input = match input {
            Some(input) => input,
            None => File::open("/dev/null").map_err(during("open /dev/null"))?.into(),
        };
        rustix::stdio::dup2_stdin(&input).map_err(during("open standard input"))?;
    }
    let user = User::resolve(&execution.user, execution.group, &execution.supplementary_groups)?;
    let home = user.home.clone();
    identity::assume(&user, user_namespace, &execution.capabilities, execution.map)?;
    // Without room it stays with the supervisor's, in which there is nothing.
    keyring::leave()?;
    program::execute(&execution.command, execution.environment, &execution.working_directory, &home)
}

/// Makes a terminal among those of the container, hands one end over and becomes the leader at the other.
fn open_terminal() -> Result<(), Failure> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let ours = rustix::fs::open("/dev/pts/ptmx", flags, Mode::empty())
        .map_err(during("open a terminal (/dev/pts/ptmx)"))?;
    let kind = rustix::fs::fstatfs(&ours).map_err(during("look at the terminals"))?.f_type;
    // The image or the container may have put something else there.
    if u64::try_from(kind).ok() != Some(TERMINALS) {
        return Err(Failure::new(
            "open a terminal: /dev/pts is another file system",
            io::ErrorKind::InvalidData.into(),
        ));
    }
    rustix::pty::unlockpt(&ours).map_err(during("unlock the terminal"))?;
    let theirs = rustix::pty::ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY)
        .map_err(during("open the terminal's other end"))?;
    protocol::send(io::stdout(), &(), &[ours.as_fd()]).map_err(during("hand the terminal over"))?;
    rustix::process::ioctl_tiocsctty(&theirs).map_err(during("take the terminal"))?;
    rustix::stdio::dup2_stdin(&theirs)
        .and_then(|()| rustix::stdio::dup2_stdout(&theirs))
        .and_then(|()| rustix::stdio::dup2_stderr(&theirs))
        .map_err(during("use the terminal"))
}
