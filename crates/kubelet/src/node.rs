//! The node's object and its heartbeat.

use std::{collections::BTreeMap, fs, net::IpAddr, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::{
        coordination::v1::{Lease, LeaseSpec},
        core::v1::{
            DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec,
            NodeStatus, NodeSystemInfo,
        },
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{MicroTime, ObjectMeta, OwnerReference},
    },
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{Error, network::Range, pods::time, settings::Allocatable};

/// How often the lease is renewed; the control plane waits four times as long.
const HEARTBEAT: Duration = Duration::from_secs(10);
const LEASE_SECONDS: i32 = 40;
const LEASES: &str = "kube-node-lease";
/// Pause while the API cannot be reached at the start.
const AGAIN: Duration = Duration::from_millis(200);
const REGISTER_TRIES: u32 = 50;

/// What the node says about itself.
pub(crate) struct Registration {
    pub(crate) client: Client,
    pub(crate) name: String,
    /// Where the kubelet's endpoint is.
    pub(crate) endpoint: Option<(IpAddr, u16)>,
    pub(crate) allocatable: Allocatable,
    pub(crate) pod_range: Range,
}

impl Registration {
    /// Creates or updates the node; waits a while for an API that is only starting.
    pub(crate) async fn register(&self) -> Result<Node, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_register().await {
                Ok(node) => return Ok(node),
                Err(kube::Error::Api(answer)) if answer.code < 500 => {
                    let source = Box::new(kube::Error::Api(answer));
                    return Err(Error::RegisterNode { node: self.name.clone(), source });
                }
                Err(error) if tries >= REGISTER_TRIES => {
                    return Err(Error::RegisterNode {
                        node: self.name.clone(),
                        source: Box::new(error),
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, node = self.name, "could not register the node yet");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn try_register(&self) -> Result<Node, kube::Error> {
        let api: Api<Node> = Api::all(self.client.clone());
        let labels = BTreeMap::from(
            [
                ("kubernetes.io/hostname", self.name.as_str()),
                ("kubernetes.io/os", "linux"),
                ("kubernetes.io/arch", architecture()),
                ("node-role.kubernetes.io/control-plane", ""),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        let node = Node {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                labels: Some(labels.clone()),
                ..ObjectMeta::default()
            },
            spec: Some(NodeSpec {
                pod_cidr: Some(self.pod_range.to_string()),
                pod_cidrs: Some(vec![self.pod_range.to_string()]),
                ..NodeSpec::default()
            }),
            status: None,
        };
        let existing = match api.create(&PostParams::default(), &node).await {
            Ok(created) => created,
            Err(kube::Error::Api(answer)) if answer.code == 409 => {
                let patch = json!({"metadata": {"labels": labels}});
                api.patch(&self.name, &PatchParams::default(), &Patch::Merge(patch)).await?
            }
            Err(error) => return Err(error),
        };
        let patch = json!({"status": self.status(existing.status.as_ref())});
        api.patch_status(&self.name, &PatchParams::default(), &Patch::Merge(patch)).await
    }

    fn status(&self, before: Option<&NodeStatus>) -> NodeStatus {
        let address = |kind: &str, address: String| NodeAddress { type_: kind.to_owned(), address };
        let internal = self.endpoint.map_or(IpAddr::from([127, 0, 0, 1]), |(address, _)| address);
        let now = time(Timestamp::now());
        let condition = |kind: &str, status: &str, reason: &str, message: &str| {
            let old = before.and_then(|before| before.conditions.as_ref()).into_iter().flatten();
            let since = old
                .filter(|old| old.type_ == kind && old.status == status)
                .find_map(|old| old.last_transition_time.clone());
            NodeCondition {
                type_: kind.to_owned(),
                status: status.to_owned(),
                reason: Some(reason.to_owned()),
                message: Some(message.to_owned()),
                last_heartbeat_time: Some(now.clone()),
                last_transition_time: Some(since.unwrap_or_else(|| now.clone())),
            }
        };
        NodeStatus {
            addresses: Some(vec![
                address("InternalIP", internal.to_string()),
                address("Hostname", self.name.clone()),
            ]),
            capacity: Some(self.resources(true)),
            allocatable: Some(self.resources(false)),
            conditions: Some(vec![
                condition(
                    "MemoryPressure",
                    "False",
                    "KubeletHasSufficientMemory",
                    "kubelet has sufficient memory available",
                ),
                condition(
                    "DiskPressure",
                    "False",
                    "KubeletHasNoDiskPressure",
                    "kubelet has no disk pressure",
                ),
                condition(
                    "PIDPressure",
                    "False",
                    "KubeletHasSufficientPID",
                    "kubelet has sufficient PID available",
                ),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ]),
            daemon_endpoints: self.endpoint.map(|(_, port)| NodeDaemonEndpoints {
                kubelet_endpoint: Some(DaemonEndpoint { port: i32::from(port) }),
            }),
            node_info: Some(system_info()),
            ..NodeStatus::default()
        }
    }

    fn resources(&self, all: bool) -> BTreeMap<String, Quantity> {
        let machine = Allocatable::of_this_machine();
        let Allocatable { mut cpu_millis, mut memory_bytes, pods } = self.allocatable;
        if all {
            cpu_millis = cpu_millis.max(machine.cpu_millis);
            memory_bytes = memory_bytes.max(machine.memory_bytes);
        }
        BTreeMap::from(
            [
                ("cpu", format!("{cpu_millis}m")),
                ("memory", memory_bytes.to_string()),
                ("pods", pods.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), Quantity(value))),
        )
    }

    /// Renews the node's lease until the future is dropped.
    pub(crate) async fn keep_lease(&self, node: &Node) {
        let api: Api<Lease> = Api::namespaced(self.client.clone(), LEASES);
        let owner = OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Node".to_owned(),
            name: self.name.clone(),
            uid: node.metadata.uid.clone().unwrap_or_default(),
            ..OwnerReference::default()
        };
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                owner_references: Some(vec![owner]),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.name.clone()),
                lease_duration_seconds: Some(LEASE_SECONDS),
                renew_time: Some(MicroTime(Timestamp::now())),
                ..LeaseSpec::default()
            }),
        };
        loop {
            let patch = json!({"spec": {"renewTime": MicroTime(Timestamp::now()), "holderIdentity": self.name}});
            let renewed =
                match api.patch(&self.name, &PatchParams::default(), &Patch::Merge(patch)).await {
                    Err(kube::Error::Api(answer)) if answer.code == 404 => {
                        api.create(&PostParams::default(), &lease).await.map(drop)
                    }
                    other => other.map(drop),
                };
            if let Err(error) = renewed {
                tracing::debug!(%error, node = self.name, "could not renew the node's lease");
            }
            tokio::time::sleep(HEARTBEAT).await;
        }
    }
}

/// The processor in the words of images.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn system_info() -> NodeSystemInfo {
    let system = rustix::system::uname();
    let read = |path: &str| {
        fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
    };
    let release = read("/etc/os-release");
    let os_image = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or_else(|| "Linux".to_owned(), |name| name.trim_matches('"').to_owned());
    NodeSystemInfo {
        architecture: architecture().to_owned(),
        boot_id: read("/proc/sys/kernel/random/boot_id"),
        container_runtime_version: format!("flumen://{}", env!("CARGO_PKG_VERSION")),
        kernel_version: system.release().to_string_lossy().into_owned(),
        kube_proxy_version: String::new(),
        kubelet_version: format!("v1.33.0+flumen-{}", env!("CARGO_PKG_VERSION")),
        machine_id: read("/etc/machine-id"),
        operating_system: "linux".to_owned(),
        os_image,
        system_uuid: String::new(),
        ..NodeSystemInfo::default()
    }
}
