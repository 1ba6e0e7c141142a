//! A further process in a running container (probes, hooks, `exec`).

use std::{fs::File, os::fd::OwnedFd};

use nix::sched::CloneFlags;

use super::{
    container::{read_configuration, report, take_inherited},
    failure::{Failure, during},
    identity::{self, User},
    namespaces, program,
};
use crate::protocol::Execution;

pub(super) fn run(
    report_descriptor: &str,
    user_namespace: &str,
    mount_namespace: &str,
) -> Result<(), Failure> {
    let channel = take_inherited(report_descriptor, true)?;
    let user_namespace = take_inherited(user_namespace, false)?;
    let mount_namespace = take_inherited(mount_namespace, false)?;
    become_command(&user_namespace, &mount_namespace).map_err(|failure| report(channel, failure))
}

fn become_command(user_namespace: &OwnedFd, mount_namespace: &OwnedFd) -> Result<(), Failure> {
    let execution: Execution = read_configuration()?;
    rustix::process::setsid().map_err(during("start a session"))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    namespaces::enter(mount_namespace, CloneFlags::CLONE_NEWNS)?;
    let null = File::open("/dev/null").map_err(during("open /dev/null"))?;
    rustix::stdio::dup2_stdin(&null).map_err(during("close standard input"))?;
    let user = User::resolve(&execution.user, execution.group, &execution.supplementary_groups)?;
    let home = user.home.clone();
    identity::assume(&user, user_namespace, &execution.capabilities, execution.map)?;
    program::execute(&execution.command, execution.environment, &execution.working_directory, &home)
}
