//! Why the kubelet could not start or had to stop.

use std::{error::Error as StdError, fmt::Write as _, io, path::PathBuf};

use crate::network;

/// Why [`crate::run`] ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A directory of the kubelet could not be made or read.
    #[error("could not use the kubelet's directory {}", path.display())]
    DataDirectory {
        /// The directory.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// The images on this node cannot be used.
    #[error("could not use the images in the kubelet's directory")]
    Images(#[source] Box<dyn StdError + Send + Sync>),
    /// The supervisor ended, and all pods with it.
    #[error("the pod supervisor ended unexpectedly; all pods have ended with it")]
    SupervisorEnded,
    /// The name server could not be bound in the node's network.
    #[error("could not start the cluster's name server on {address}")]
    Dns {
        /// Where it should listen.
        address: std::net::SocketAddr,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// The kubelet's own endpoint could not be served.
    #[error("could not serve the kubelet's endpoint")]
    Serve(#[source] Box<dyn StdError + Send + Sync>),
    /// The node's network failed.
    #[error("the node's network failed")]
    Network(#[from] network::Error),
    /// The node could not be registered.
    #[error("could not register the node {node}")]
    RegisterNode {
        /// Its name.
        node: String,
        /// The API's answer.
        #[source]
        source: Box<kube::Error>,
    },
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
