//! The node's object and its heartbeat.

use std::{collections::BTreeMap, fs, net::IpAddr, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::{
        coordination::v1::{Lease, LeaseSpec},
        core::v1::{
            DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec,
            NodeStatus, NodeSystemInfo, Taint,
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
    /// Beside those that every node has.
    pub(crate) labels: BTreeMap<String, String>,
    /// Given when the node is created; afterwards they are others' business.
    pub(crate) taints: Vec<Taint>,
    /// Where the kubelet's endpoint is.
    pub(crate) endpoint: Option<(IpAddr, u16)>,
    pub(crate) capacity: Allocatable,
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
        let mut labels = self.labels.clone();
        labels.extend(
            [
                ("kubernetes.io/hostname", self.name.as_str()),
                ("kubernetes.io/os", "linux"),
                ("kubernetes.io/arch", architecture()),
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
                taints: (!self.taints.is_empty()).then(|| self.taints.clone()),
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
            capacity: Some(resources(self.capacity)),
            allocatable: Some(resources(self.allocatable)),
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

    /// Shows that the node lives until the future is dropped.
    pub(crate) async fn keep_alive(&self, node: &Node) {
        let owner = OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Node".to_owned(),
            name: self.name.clone(),
            uid: node.metadata.uid.clone().unwrap_or_default(),
            ..OwnerReference::default()
        };
        loop {
            if let Err(error) = self.beat(&owner).await {
                tracing::debug!(%error, node = self.name, "could not show that the node lives");
            }
            tokio::time::sleep(HEARTBEAT).await;
        }
    }

    async fn beat(&self, owner: &OwnerReference) -> Result<(), kube::Error> {
        self.renew_lease(owner).await?;
        // Whoever has not heard the node for a while has said so in its status. One that was deleted is not made again.
        let api: Api<Node> = Api::all(self.client.clone());
        let node = api.get_opt(&self.name).await?;
        let status = node.as_ref().and_then(|node| node.status.as_ref());
        if status.is_some_and(|status| !is_ready(status)) {
            let patch = json!({"status": self.status(status)});
            api.patch_status(&self.name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        }
        Ok(())
    }

    async fn renew_lease(&self, owner: &OwnerReference) -> Result<(), kube::Error> {
        let api: Api<Lease> = Api::namespaced(self.client.clone(), LEASES);
        let now = MicroTime(Timestamp::now());
        let patch = json!({"spec": {"renewTime": now, "holderIdentity": self.name}});
        match api.patch(&self.name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Err(kube::Error::Api(answer)) if answer.code == 404 => {}
            other => return other.map(drop),
        }
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                owner_references: Some(vec![owner.clone()]),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.name.clone()),
                lease_duration_seconds: Some(LEASE_SECONDS),
                renew_time: Some(now),
                ..LeaseSpec::default()
            }),
        };
        api.create(&PostParams::default(), &lease).await.map(drop)
    }
}

fn is_ready(status: &NodeStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn resources(of: Allocatable) -> BTreeMap<String, Quantity> {
    BTreeMap::from(
        [
            ("cpu", format!("{}m", of.cpu_millis)),
            ("memory", of.memory_bytes.to_string()),
            ("pods", of.pods.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), Quantity(value))),
    )
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
