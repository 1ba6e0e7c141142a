//! What all pods of the node share.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use kube::Client;

use super::{names::Names, present::Present};
use crate::{
    cgroups::Cgroups, directory::Directory, environment::Facts, events::Recorder, images::Images,
    logs::Logs, network::NodeNetwork, protocol::IdMap, runner::Runner, settings::Allocatable,
    volumes::Volumes,
};

/// Everything that a pod's worker needs; shared by all of them.
pub(crate) struct Node {
    pub(crate) client: Client,
    pub(crate) name: String,
    /// Directory of all pods, one each by uid.
    pub(crate) pods_directory: PathBuf,
    pub(crate) runner: Runner,
    pub(crate) network: NodeNetwork,
    pub(crate) images: Images,
    pub(crate) logs: Logs,
    pub(crate) names: Names,
    pub(crate) present: Present,
    pub(crate) cgroups: Cgroups,
    pub(crate) directory: Directory,
    pub(crate) recorder: Recorder,
    pub(crate) dns: SocketAddr,
    pub(crate) domain: String,
    pub(crate) api: SocketAddr,
    pub(crate) ids: IdMap,
    pub(crate) allocatable: Allocatable,
}

impl Node {
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.network.node_address()
    }

    pub(crate) fn pod_directory(&self, uid: &str) -> PathBuf {
        self.pods_directory.join(uid)
    }

    pub(crate) fn facts(&self, pod_ip: Option<Ipv4Addr>) -> Facts {
        Facts {
            pod_ip: pod_ip.map(|ip| ip.to_string()).unwrap_or_default(),
            host_ip: self.address().to_string(),
            node_name: self.name.clone(),
            allocatable_cpu_millis: self.allocatable.cpu_millis,
            allocatable_memory_bytes: self.allocatable.memory_bytes,
        }
    }

    pub(crate) fn volumes(&self, uid: &str, pod_ip: Option<Ipv4Addr>) -> Volumes {
        Volumes {
            client: self.client.clone(),
            directory: self.pod_directory(uid),
            map: self.ids,
            facts: self.facts(pod_ip),
        }
    }
}
