//! What a local cluster is started with.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde_json::Value;

use crate::Door;

/// Settings of a local cluster.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept; made if it is not there. Default: `flumen-local` in the current directory.
    pub data_directory: PathBuf,
    /// Where the Kubernetes API listens, on loopback. Port 0 takes a free one. Default: `127.0.0.1:6443`.
    pub listen: SocketAddr,
    /// Where the image registry listens, on loopback. Port 0 takes a free one. Default: `127.0.0.1:5000`.
    pub registry_listen: SocketAddr,
    /// The program, and its first arguments, that runs pods by calling `flumen_kubelet::pod_main`. No default: a cluster without it
    /// is refused.
    pub helper: Vec<OsString>,
    /// The name of the first node; those of the others begin with it. Default: `local`.
    pub node_name: String,
    /// How many nodes there are. Default: 1, which is also the least.
    pub nodes: u8,
    /// What pods may ask for in all on each node. Default: what the machine has.
    pub allocatable: Allocatable,
    /// How many nodes there are beside these that only pretend: pods there are running and ready at once, and no process is started.
    /// Default: 0.
    pub pretend_nodes: u16,
    /// A directory with etcd, kube-apiserver and kube-controller-manager, which are run in place of this project's own control
    /// plane. Default: none.
    pub control_plane: Option<PathBuf>,
    /// Objects that are made at each start where they are missing; what is there stays as it is. Default: none.
    pub objects: Vec<Value>,
    /// How pods reach a program on the host. Default: they do not.
    pub door: Option<Door>,
    /// Whether a write is acknowledged only after it reached the disk. Without it a crash of the process loses nothing, a power
    /// failure may. Default: true.
    pub wait_for_disk: bool,
}

/// What pods may ask for in all on a node; `None` is what the machine has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allocatable {
    /// Thousandths of a core.
    pub cpu_millis: Option<u64>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_directory: PathBuf::from("flumen-local"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 6443)),
            registry_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            helper: Vec::new(),
            node_name: "local".to_owned(),
            nodes: 1,
            allocatable: Allocatable::default(),
            pretend_nodes: 0,
            control_plane: None,
            objects: Vec::new(),
            door: None,
            wait_for_disk: true,
        }
    }
}
