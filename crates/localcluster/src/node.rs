//! The nodes of the cluster: their network, their kubelets, and when they are ready.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use flumen_apiserver::Authority;
use flumen_kubelet::{Endpoint, NetworkSettings, NodeNetwork, NodeSettings};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::api::Api;
use kube::runtime::wait::await_condition;

use crate::control_plane::ControlPlane;
use crate::directory::DataDirectory;
use crate::listen::listen;
use crate::{Error, Settings, access};

/// Where kubelets answer their API server, in the node's network; on the host it is a free port of loopback.
const KUBELET_PORT: u16 = 10250;
const KUBELET: &str = "kubelet";
/// By which `kubectl get nodes` tells what a node is for.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// A node takes a fraction of a second. After this time something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the network of the nodes, which takes a few milliseconds of system calls.
pub(crate) async fn network() -> Result<NodeNetwork, Error> {
    let made =
        tokio::task::spawn_blocking(|| NodeNetwork::create(NetworkSettings::default())).await;
    made.map_err(|_| Error::Ended { part: "network" })?.map_err(Error::Network)
}

/// The names of the nodes, as `kind` would choose them: the first one is the cluster's own, the others are its workers.
pub(crate) fn names(settings: &Settings) -> Vec<String> {
    let first = &settings.node_name;
    let worker = |number| match number {
        1 => format!("{first}-worker"),
        _ => format!("{first}-worker{number}"),
    };
    std::iter::once(first.clone()).chain((1..settings.nodes).map(worker)).collect()
}

/// Each with its number.
fn numbered(settings: &Settings) -> impl Iterator<Item = (u8, String)> {
    // An open range would look for the number after the last one.
    (0..=u8::MAX).zip(names(settings))
}

/// What the kubelet is started with: clients of its own over TLS, as on any other control plane.
pub(crate) async fn settings(
    directory: &DataDirectory,
    settings: &Settings,
    control_plane: &ControlPlane,
    url: &str,
    network: NodeNetwork,
) -> Result<flumen_kubelet::Settings, Error> {
    let data = directory.private("kubelet")?;
    let is_inside = settings.control_plane.is_some();
    let mut nodes = Vec::new();
    for (number, name) in numbered(settings) {
        let network = network.of_node(number).map_err(Error::Network)?;
        let ip = is_inside.then(|| network.node_address());
        nodes.push(node(control_plane.authority(), url, (name, ip), network).await?);
    }
    let mut nodes = nodes.into_iter();
    let mut first = nodes.next().ok_or(Error::Ended { part: KUBELET })?;
    first.labels.insert(CONTROL_PLANE.to_owned(), String::new());
    let mut kubelet = flumen_kubelet::Settings::new(first, data, settings.helper.clone(), network);
    kubelet.nodes.extend(nodes);
    kubelet.provisioner = Some(control_plane.client("system:local-path-provisioner", url).await?);
    let machine = kubelet.allocatable;
    kubelet.allocatable.cpu_millis = settings.allocatable.cpu_millis.unwrap_or(machine.cpu_millis);
    kubelet.allocatable.memory_bytes =
        settings.allocatable.memory_bytes.unwrap_or(machine.memory_bytes);
    Ok(kubelet)
}

/// One node. A control plane in the node's network reaches its kubelet there, at `inside`.
async fn node(
    authority: &Authority,
    url: &str,
    (name, inside): (String, Option<Ipv4Addr>),
    network: NodeNetwork,
) -> Result<NodeSettings, Error> {
    let client = client(authority, url, &name).await?;
    let ip = inside.unwrap_or(Ipv4Addr::LOCALHOST);
    let asked = SocketAddr::from((ip, if inside.is_some() { KUBELET_PORT } else { 0 }));
    let listener = match inside {
        Some(_) => {
            let failed = |source| Error::Listen { what: KUBELET, address: asked, source };
            network.listen_tcp(asked).map_err(failed)?
        }
        None => listen(KUBELET, asked)?,
    };
    let names = [ip.to_string(), name.clone()];
    let (certificate_pem, key_pem) = authority.issue_server(&names).map_err(Error::ApiServer)?;
    let client_authority_pem = authority.pem().to_owned();
    let address = IpAddr::V4(ip);
    let mut node = NodeSettings::new(client, name, network);
    node.endpoint =
        Some(Endpoint { listener, address, certificate_pem, key_pem, client_authority_pem });
    Ok(node)
}

async fn client(authority: &Authority, url: &str, node: &str) -> Result<Client, Error> {
    let user = format!("system:node:{node}");
    let text = authority.kubeconfig(url, &user, &["system:nodes", "system:masters"]);
    access::client(&text.map_err(Error::ApiServer)?).await
}

/// The names of the nodes that only pretend.
pub(crate) fn pretended(settings: &Settings) -> Vec<String> {
    (1..=settings.pretend_nodes).map(|number| format!("pretend-{number}")).collect()
}

/// Waits until all these nodes are ready.
pub(crate) async fn all_ready(
    client: Client,
    names: Vec<String>,
    since: Timestamp,
) -> Result<(), Error> {
    for name in names {
        ready(client.clone(), name, since).await?;
    }
    Ok(())
}

/// Waits until the node says that it is ready, and says it now: it may have said so in an earlier life too.
async fn ready(client: Client, name: String, since: Timestamp) -> Result<(), Error> {
    let nodes: Api<Node> = Api::all(client);
    let is_ready = |node: Option<&Node>| {
        // One that is switched off has nothing to say.
        node.is_some_and(|node| is_ready(node, since.as_second()) || flumen_kubelet::is_off(node))
    };
    match tokio::time::timeout(PATIENCE, await_condition(nodes, &name, is_ready)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::Client(error.into())),
        Err(_) => Err(Error::NotReady { node: name, seconds: PATIENCE.as_secs() }),
    }
}

fn is_ready(node: &Node, since_second: i64) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ready =
        conditions.filter(|condition| condition.type_ == "Ready" && condition.status == "True");
    ready.any(|condition| {
        condition
            .last_heartbeat_time
            .as_ref()
            .is_some_and(|time| time.0.as_second() >= since_second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_was_ready_in_an_earlier_life_is_not_ready_yet() {
        let node: Node =
            serde_json::from_value(serde_json::json!({"metadata": {}, "status": {"conditions": [
            {"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-01T00:00:10Z"}]}}))
            .expect("node");
        let second = |text: &str| text.parse::<Timestamp>().expect("time").as_second();
        assert!(is_ready(&node, second("2026-01-01T00:00:10Z")));
        assert!(!is_ready(&node, second("2026-01-01T00:00:11Z")));
        assert!(!is_ready(&Node::default(), 0));
    }

    #[test]
    fn there_may_be_as_many_nodes_as_there_are_numbers() {
        let mut last = None;
        // One by one: `collect` would not ask for the number after the last one.
        for node in numbered(&Settings { nodes: u8::MAX, ..Settings::default() }) {
            last = Some(node);
        }
        assert_eq!(last, Some((254, "local-worker254".to_owned())));
    }
}
