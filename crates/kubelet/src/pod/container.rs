//! The first process of a container: builds its root file system, gives its privileges up, becomes the command.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::fd::OwnedFd,
};

use nix::sched::{CloneFlags, unshare};

use super::{
    failure::{Failure, during},
    identity::{self, User},
    keyring, program, root,
};
use crate::protocol::{Container, ControlGroups, Refusal};

/// Opens a descriptor that was inherited by number, closed on exec, and closes the inherited one.
pub(super) fn take_inherited(number: &str, write: bool) -> Result<OwnedFd, Failure> {
    let path = format!("/proc/self/fd/{number}");
    let file = File::options()
        .read(!write)
        .write(write)
        .open(&path)
        .map_err(during(format!("open the inherited descriptor {number}")))?;
    let number: i32 = number.parse().map_err(|error| {
        Failure::new(
            "read a descriptor's number",
            io::Error::new(io::ErrorKind::InvalidInput, error),
        )
    })?;
    nix::unistd::close(number).map_err(during("close an inherited descriptor"))?;
    Ok(file.into())
}

/// Reads the configuration from standard input.
pub(super) fn read_configuration<T: serde::de::DeserializeOwned>() -> Result<T, Failure> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text).map_err(during("read the configuration"))?;
    serde_json::from_slice(&text).map_err(during("understand the configuration"))
}

/// Tells the kubelet why there will be no process; success is told by the report's end at `exec`.
pub(super) fn report(report: OwnedFd, failure: Failure) -> Failure {
    let refusal = Refusal { message: failure.line() };
    let written = serde_json::to_vec(&refusal)
        .map_err(io::Error::from)
        .and_then(|text| File::from(report).write_all(&text));
    match written {
        Ok(()) => failure,
        Err(error) => Failure::new(format!("report that this failed: {}", failure.line()), error),
    }
}

/// Joins the container's control groups, which the host's root alone may do.
pub(super) fn join(cgroups: &ControlGroups) -> Result<(), Failure> {
    for path in &cgroups.joins {
        fs::write(path, "0")
            .map_err(during(format!("join the control group {}", path.display())))?;
    }
    if cgroups.on_top {
        // Nobody in the pod may mount anything by it: it belongs to the user namespace of the host.
        unshare(CloneFlags::CLONE_NEWCGROUP)
            .map_err(during("make a namespace of control groups"))?;
    }
    Ok(())
}

pub(super) fn run(report_descriptor: &str, user_namespace: &str) -> Result<(), Failure> {
    let channel = take_inherited(report_descriptor, true)?;
    become_command(user_namespace).map_err(|failure| report(channel, failure))
}

fn become_command(user_namespace: &str) -> Result<(), Failure> {
    let user_namespace = take_inherited(user_namespace, false)?;
    let container: Container = read_configuration()?;
    rustix::process::setsid().map_err(during("start a session"))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    join(&container.cgroups)?;
    root::enter(&container)?;
    let null = File::open("/dev/null").map_err(during("open /dev/null"))?;
    rustix::stdio::dup2_stdin(&null).map_err(during("close standard input"))?;

    let user = User::resolve(&container.user, container.group, &container.supplementary_groups)?;
    let home = user.home.clone();
    identity::assume(&user, &user_namespace, &container.capabilities, container.map)?;
    // Without room it stays with the supervisor's, in which there is nothing.
    keyring::leave()?;
    program::execute(&container.command, container.environment, &container.working_directory, &home)
}
