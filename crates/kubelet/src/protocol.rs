//! What the kubelet and its pod supervisor say to each other: one JSON message per datagram of a socket pair,
//! file descriptors beside it.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Longest message; a container's configuration travels in a memory file beside it, so messages stay short.
const LONGEST: usize = 64 * 1024;
const MOST_DESCRIPTORS: usize = 8;

/// How user ids inside a pod map to ids of the host: `0..size` to `host..host + size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// First id on the host.
    pub host: u32,
    /// How many ids.
    pub size: u32,
}

impl IdMap {
    /// The caller's own id alone, as which every user of a pod runs.
    pub const OWN: Self = Self { host: 0, size: 1 };

    /// Whether all users of pods are one and the same to the host, so that nothing changes its owner.
    pub fn is_one(self) -> bool {
        self.size == 1
    }

    /// The host's id for an id inside the pod; ids outside the map become the last one of it.
    pub fn to_host(self, id: u32) -> u32 {
        self.host + id.min(self.size - 1)
    }
}

/// What the kubelet asks of the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Make the namespaces that the containers of a pod share.
    CreateSandbox { pod: String, hostname: String, map: IdMap },
    /// Start a container; descriptors: configuration, stdout, stderr, report.
    Start { container: u64, pod: String },
    /// Start a process in a running container; descriptors as for `Start`, then standard input if there is one. With a
    /// terminal, standard output is a socket through which its other end comes back.
    Execute { container: u64, within: u64 },
    /// Send a signal to the container's first process.
    Signal { container: u64, signal: i32 },
    /// Let go of the pod's namespaces.
    RemoveSandbox { pod: String },
}

/// What the supervisor tells the kubelet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// Descriptor: the pod's network namespace.
    SandboxCreated {
        pod: String,
    },
    SandboxFailed {
        pod: String,
        message: String,
    },
    /// The process exists; its own set-up goes on and is told through the report descriptor.
    Started {
        container: u64,
    },
    NotStarted {
        container: u64,
        message: String,
    },
    Exited {
        container: u64,
        exit: Exit,
    },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// With this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// The number that Kubernetes shows: 128 + the signal for a process that was killed.
    pub fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// Why the container's process could not become the command; written to the report descriptor as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) message: String,
}

/// All that the first process of a container needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Empty directory on which the root file system is mounted, inside the container's own mount namespace.
    pub root: PathBuf,
    /// Directory of all unpacked layers.
    pub layers_directory: PathBuf,
    /// Names of the image's layers in that directory, lowest first.
    pub layers: Vec<String>,
    /// The container's own changes.
    pub upper: PathBuf,
    /// Working directory of the overlay.
    pub work: PathBuf,
    /// Directories, files or symbolic links of the host that appear under the same path, read-only.
    pub host_directories: Vec<PathBuf>,
    /// Volumes and the files that every pod has (`/etc/hosts`, …).
    pub mounts: Vec<Mount>,
    /// Ids of the pod's user namespace.
    pub map: IdMap,
    /// Program and arguments.
    pub command: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// Created when missing; `/` by default.
    pub working_directory: String,
    /// `user[:group]`, names or numbers, as in an image's configuration; empty is root.
    pub user: String,
    /// Group that replaces the one of `user`.
    pub group: Option<u32>,
    /// Groups beside the primary one.
    pub supplementary_groups: Vec<u32>,
    /// Numbers of the capabilities that stay in the bounding set.
    pub capabilities: Vec<u32>,
    /// Mount the root file system read-only.
    pub read_only_root: bool,
    /// Those that limit the container, if it has limits.
    pub cgroups: ControlGroups,
}

/// The control groups of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ControlGroups {
    /// Files into which a process writes to join them.
    pub joins: Vec<PathBuf>,
    /// Whether who has joined takes them for the top of all groups.
    pub on_top: bool,
}

/// A bind mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Path on the host.
    pub source: PathBuf,
    /// The part of it that is mounted, if not all; links in there do not lead out of it.
    pub sub_path: Option<PathBuf>,
    /// Absolute path in the container.
    pub target: PathBuf,
    /// What the container may do there.
    pub access: Access,
}

/// What a container may do with what is mounted into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// What the owners and modes of its files allow.
    Full,
    /// Change nothing, but for what the host has mounted below it: what Kubernetes does unless it is asked for more.
    ReadOnly,
    /// Change nothing, nor what the host has mounted below it.
    RecursivelyReadOnly,
}

/// A process started inside a running container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Execution {
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) working_directory: String,
    pub(crate) user: String,
    pub(crate) group: Option<u32>,
    pub(crate) supplementary_groups: Vec<u32>,
    pub(crate) capabilities: Vec<u32>,
    pub(crate) map: IdMap,
    pub(crate) cgroups: ControlGroups,
    /// Gets a terminal of its own.
    pub(crate) terminal: bool,
}

impl Execution {
    /// A command as the container's own user, in its environment.
    pub(crate) fn like(container: &Container, command: &[String]) -> Self {
        Self {
            command: command.to_vec(),
            environment: container.environment.clone(),
            working_directory: container.working_directory.clone(),
            user: container.user.clone(),
            group: container.group,
            supplementary_groups: container.supplementary_groups.clone(),
            capabilities: container.capabilities.clone(),
            map: container.map,
            cgroups: container.cgroups.clone(),
            terminal: false,
        }
    }
}

/// Sends one message; `WouldBlock` when the socket is full.
pub(crate) fn send(
    socket: impl AsFd,
    message: &impl Serialize,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), io::Error> {
    let text = serde_json::to_vec(message)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    sendmsg(socket, &[IoSlice::new(&text)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one message; `None` when the other side is gone.
pub(crate) fn receive<T: DeserializeOwned>(
    socket: impl AsFd,
) -> Result<Option<(T, Vec<OwnedFd>)>, io::Error> {
    let mut text = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = match recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut text)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    ) {
        Ok(received) if received.bytes > 0 => received,
        // It went without reading what was sent to it.
        Ok(_) | Err(rustix::io::Errno::CONNRESET) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    Ok(Some((serde_json::from_slice(&text[..received.bytes])?, descriptors)))
}
