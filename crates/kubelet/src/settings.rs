//! What a kubelet is started with.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use crate::{network::NodeNetwork, protocol::IdMap, user_namespace};

/// What the nodes of this machine are started with; [`Settings::new`] has the defaults.
pub struct Settings {
    /// The nodes; the first one's client also follows what all of them need to know.
    pub nodes: Vec<NodeSettings>,
    /// Where images, volumes and logs are kept.
    pub data_directory: PathBuf,
    /// Program and first arguments that make [`crate::pod_main`] run with what follows.
    pub helper: Vec<OsString>,
    /// The network of the machine, which its nodes share.
    pub network: NodeNetwork,
    /// The client with which directories of this machine become the volumes of claims; it needs the rights of a provisioner.
    /// Without it claims get no volumes from here. None by default.
    pub provisioner: Option<kube::Client>,
    /// What pods may use of each node. Default: all processors, 80 % of the memory.
    pub allocatable: Allocatable,
    /// Name server of the pods, inside the node's network. Default: `10.96.0.10:53`.
    pub dns: SocketAddr,
    /// Domain of the cluster's names. Default: `cluster.local`.
    pub domain: String,
    /// The API as pods reach it; its address is served by someone else. Default: `10.96.0.1:443`.
    pub api: SocketAddr,
    /// Registries (`host:port`) that are spoken to without TLS, besides those on loopback. Default: none.
    pub insecure_registries: BTreeSet<String>,
    /// Ids of the pods' user namespaces on the host. Default: 65,536 from 1,000,000 on, or [`IdMap::OWN`] where this process does not
    /// have those.
    pub ids: IdMap,
    /// How long containers may take to end when the kubelet is told to stop, before they are killed. Default: 2 s.
    pub shutdown_grace_period: Duration,
}

/// One node.
pub struct NodeSettings {
    /// Speaks to the API as `system:node:NAME`. It should not retry by itself.
    pub client: kube::Client,
    /// Its name.
    pub name: String,
    /// Labels beside those that every node has. Default: none.
    pub labels: BTreeMap<String, String>,
    /// The node's part of the machine's network, see [`NodeNetwork::of_node`].
    pub network: NodeNetwork,
    /// The kubelet's own endpoint. Default: none.
    pub endpoint: Option<Endpoint>,
}

impl NodeSettings {
    /// Settings with all defaults.
    pub fn new(client: kube::Client, name: impl Into<String>, network: NodeNetwork) -> Self {
        Self { client, name: name.into(), labels: BTreeMap::new(), network, endpoint: None }
    }
}

/// A kubelet's HTTPS endpoint.
pub struct Endpoint {
    /// Bound where the API server can reach it.
    pub listener: TcpListener,
    /// The address that the node is known by. Default of a local cluster: `127.0.0.1`.
    pub address: IpAddr,
    /// Certificate chain for that address, PEM.
    pub certificate_pem: String,
    /// Its private key, PEM.
    pub key_pem: String,
    /// Authority that clients' certificates must come from, PEM.
    pub client_authority_pem: String,
}

/// What pods may use of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocatable {
    /// Thousandths of a processor.
    pub cpu_millis: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Number of pods. Default: 110.
    pub pods: u32,
}

const USUAL_PODS: u32 = 110;
const MEMORY_SHARE_PERCENT: u64 = 80;

impl Allocatable {
    /// All processors and 80 % of the memory of this machine.
    pub fn of_this_machine() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let system = rustix::system::sysinfo();
        let total = u64::from(system.mem_unit).saturating_mul(system.totalram);
        Self {
            cpu_millis: processors as u64 * 1000,
            memory_bytes: total / 100 * MEMORY_SHARE_PERCENT,
            pods: USUAL_PODS,
        }
    }

    /// The larger of both in each.
    pub(crate) fn at_least(self, other: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.max(other.cpu_millis),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            pods: self.pods.max(other.pods),
        }
    }
}

impl Settings {
    /// Settings with all defaults.
    pub fn new(
        node: NodeSettings,
        data_directory: impl Into<PathBuf>,
        helper: Vec<OsString>,
        network: NodeNetwork,
    ) -> Self {
        Self {
            nodes: vec![node],
            data_directory: data_directory.into(),
            helper,
            network,
            provisioner: None,
            allocatable: Allocatable::of_this_machine(),
            dns: SocketAddr::from((Ipv4Addr::new(10, 96, 0, 10), 53)),
            domain: "cluster.local".to_owned(),
            api: SocketAddr::from((Ipv4Addr::new(10, 96, 0, 1), 443)),
            insecure_registries: BTreeSet::new(),
            ids: user_namespace::ids(),
            shutdown_grace_period: Duration::from_secs(2),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("nodes", &self.nodes)
            .field("data_directory", &self.data_directory)
            .field("allocatable", &self.allocatable)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NodeSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("listener", &self.listener)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
