//! Handles to namespaces.

use std::{
    fs::File,
    os::fd::{AsFd, OwnedFd},
};

use nix::sched::{CloneFlags, setns};

use super::failure::{Failure, during};

/// The namespaces that a process makes its children in.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) network: OwnedFd,
    pub(super) ipc: OwnedFd,
    pub(super) uts: OwnedFd,
}

impl Surroundings {
    /// Those of the process `pid` (`self` for the caller).
    pub(super) fn of(pid: &str) -> Result<Self, Failure> {
        Ok(Self { network: open(pid, "net")?, ipc: open(pid, "ipc")?, uts: open(pid, "uts")? })
    }

    /// Moves the caller into them.
    pub(super) fn enter(&self) -> Result<(), Failure> {
        enter(&self.network, CloneFlags::CLONE_NEWNET)?;
        enter(&self.ipc, CloneFlags::CLONE_NEWIPC)?;
        enter(&self.uts, CloneFlags::CLONE_NEWUTS)
    }
}

/// Opens one namespace of a process.
pub(super) fn open(pid: &str, kind: &str) -> Result<OwnedFd, Failure> {
    let path = format!("/proc/{pid}/ns/{kind}");
    Ok(File::open(&path).map_err(during(format!("open {path}")))?.into())
}

/// Moves the caller into one namespace.
pub(super) fn enter(namespace: impl AsFd, kind: CloneFlags) -> Result<(), Failure> {
    setns(namespace, kind).map_err(during(format!("enter the namespace {kind:?}")))
}
