//! Why a local cluster could not start or had to end.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A local cluster could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path in the data directory could not be made, read or written.
    #[error("could not use {path} in the data directory of the local cluster")]
    DataDirectory {
        /// The path.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// Another process has the data directory.
    #[error(
        "the data directory {path} is in use by another local cluster ({holder}); stop that one first, or choose another directory"
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// The process that has it.
        holder: String,
    },
    /// Another user wrote the data directory.
    #[error(
        "the data directory {path} was made by another user (`ls -ld {path}` says by whom); run Flumen as that one, or choose another directory"
    )]
    Owner {
        /// The data directory.
        path: PathBuf,
    },
    /// The data directory was written by something else.
    #[error(
        "the data directory {path} has format {found:?}, and this version of Flumen knows format {known} only; \
         use the version that wrote it, or choose another directory"
    )]
    Format {
        /// The data directory.
        path: PathBuf,
        /// What stands in its file `format`.
        found: String,
        /// What this version writes.
        known: u32,
    },
    /// Something listens on the address already.
    #[error("the {what} cannot listen on {address}: another program does; stop that one (`ss -ltnp sport = :{}` names it), or choose another port", .address.port())]
    AddressInUse {
        /// Which part of the cluster wanted it.
        what: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The address can be reached from other machines.
    #[error("the {what} must not listen on {address}: a local cluster is reachable from this machine only; choose an address such as 127.0.0.1:{}", .address.port())]
    NotLoopback {
        /// Which part of the cluster wanted it.
        what: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("the {what} cannot listen on {address}")]
    Listen {
        /// Which part of the cluster wanted it.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// There is no program that runs pods.
    #[error(
        "no helper program is set that runs pods; this is a mistake of the program that starts the cluster"
    )]
    NoHelper,
    /// The node's network could not be made.
    #[error("could not make the network of the local cluster")]
    Network(#[source] flumen_kubelet::NetworkError),
    /// The API server failed.
    #[error("the API server of the local cluster failed")]
    ApiServer(#[source] flumen_apiserver::Error),
    /// A client of the API server could not be made.
    #[error("could not make a client of the local cluster's own API server")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An object that is to be there from the start could not be made.
    #[error("could not make the {name} in the local cluster")]
    MakeObject {
        /// Its kind and its name.
        name: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A program of Kubernetes could not be started.
    #[error(
        "could not start {path}, which the control plane of Kubernetes needs (with setpriv and nsenter, of util-linux)"
    )]
    Program {
        /// The program.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// A program of Kubernetes did not get ready.
    #[error("{program} of Kubernetes ended, or was not ready in time; its log is {log}")]
    ControlPlane {
        /// The program.
        program: &'static str,
        /// What it wrote.
        log: PathBuf,
    },
    /// The kubelet failed.
    #[error("the kubelet of the local cluster failed")]
    Kubelet(#[source] flumen_kubelet::Error),
    /// The registry failed.
    #[error("the image registry of the local cluster failed")]
    Registry(#[source] flumen_registry::Error),
    /// The node did not become ready in time.
    #[error("node {node} of the local cluster was not ready after {seconds} s; its log says why")]
    NotReady {
        /// The node.
        node: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A part of the cluster ended by a panic.
    #[error("the {part} of the local cluster ended unexpectedly")]
    Ended {
        /// Which part.
        part: &'static str,
    },
}
