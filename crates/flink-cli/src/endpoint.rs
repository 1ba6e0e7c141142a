//! Where the REST API of a cluster is: the address that Flink's client would use, and the way that works
//! from here.

use std::time::Duration;

use flumen_flink_conf::Configuration;
use flumen_k8s::RestService;
use tokio::net::TcpStream;

use crate::{
    Surroundings,
    connect::{Place, is_in_pod},
};

/// How long a node or load balancer may take to accept a connection before the API server is asked instead.
const PROBE: Duration = Duration::from_millis(800);

const NODE_ADDRESS_TYPE: &str = "kubernetes.rest-service.exposed.node-port-address-type";

/// The address that Flink's client would print. What cannot be looked up has the name inside the cluster.
pub(crate) async fn address(
    place: &Place,
    configuration: &Configuration,
    cluster_id: &str,
) -> String {
    let inside = |port: u16| format!("http://{cluster_id}-rest.{}:{port}", place.namespace);
    match place.cluster.rest_service(&place.namespace, cluster_id).await {
        Ok(Some(service)) => match outside(place, configuration, &service).await {
            Some(authority) => format!("http://{authority}"),
            None => inside(service.port),
        },
        _ => inside(8081),
    }
}

/// An address that the Service has outside of the cluster.
async fn outside(
    place: &Place,
    configuration: &Configuration,
    service: &RestService,
) -> Option<String> {
    match service.kind.as_str() {
        "LoadBalancer" => Some(authority(service.ingress.as_deref()?, service.port)),
        "NodePort" => {
            let port = service.node_port?;
            let wanted = configuration.word(NODE_ADDRESS_TYPE).ok().flatten();
            let wanted = wanted.unwrap_or_else(|| "InternalIP".to_owned());
            let nodes = place.cluster.node_addresses().await.ok()?;
            let node = nodes.into_iter().find(|node| node.kind.eq_ignore_ascii_case(&wanted))?;
            Some(authority(&node.address, port))
        }
        _ => None,
    }
}

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The address to speak to directly, where one can be reached from here; else the API server's service
/// proxy is the way.
pub(crate) async fn direct(
    place: &Place,
    configuration: &Configuration,
    (cluster_id, service): (&str, &RestService),
    surroundings: &Surroundings<'_>,
) -> Option<String> {
    let authority = match outside(place, configuration, service).await {
        Some(authority) => authority,
        None if is_in_pod(surroundings) => {
            format!("{cluster_id}-rest.{}:{}", place.namespace, service.port)
        }
        None => return None,
    };
    let connected = tokio::time::timeout(PROBE, TcpStream::connect(&authority)).await;
    matches!(connected, Ok(Ok(_))).then(|| format!("http://{authority}"))
}
