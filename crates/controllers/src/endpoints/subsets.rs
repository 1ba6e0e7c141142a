//! The addresses behind a service, in the canonical order in which the real controller writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, ObjectReference};

use super::printed;
use crate::facts::{Object, Phase, Pod, Service, ServicePort, TargetPort};

/// Name, protocol, number, application protocol.
pub(crate) type Port = (Option<String>, String, i32, Option<String>);

/// One address as it stands under a set of ports. Ordered as the subsets are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Address {
    ip: String,
    pod_uid: String,
    pod_name: String,
    hostname: Option<String>,
    node: Option<String>,
}

#[derive(Debug, Default)]
struct Group {
    ready: BTreeSet<Address>,
    not_ready: BTreeSet<Address>,
}

/// The subsets of the `Endpoints` of service `name`.
pub(crate) fn subsets(
    name: &str,
    namespace: &str,
    service: &Service,
    pods: &[&Object],
) -> Vec<EndpointSubset> {
    let mut by_address: BTreeMap<(Address, bool), BTreeSet<Port>> = BTreeMap::new();
    for object in pods {
        let Some(pod) = object.pod() else { continue };
        let Some(ip) = published(service, object, pod) else { continue };
        let ready = service.publish_not_ready || pod.ready_since.is_some();
        let address = Address {
            ip: ip.to_owned(),
            pod_uid: object.uid.to_string(),
            pod_name: object.key.name.clone(),
            hostname: pod.hostname.clone().filter(|_| pod.subdomain.as_deref() == Some(name)),
            node: pod.node.clone(),
        };
        let ports: BTreeSet<Port> =
            service.ports.iter().filter_map(|port| resolve(port, pod)).collect();
        // Only a headless service without any port is published without ports.
        if !ports.is_empty() || (service.headless && service.ports.is_empty()) {
            by_address.entry((address, ready)).or_default().extend(ports);
        }
    }
    let mut groups: BTreeMap<BTreeSet<Port>, Group> = BTreeMap::new();
    for ((address, ready), ports) in by_address {
        let group = groups.entry(ports).or_default();
        let list = if ready { &mut group.ready } else { &mut group.not_ready };
        list.insert(address);
    }
    let mut subsets: Vec<EndpointSubset> =
        groups.into_iter().map(|(ports, group)| subset(namespace, ports, group)).collect();
    subsets.sort_by_cached_key(printed::of_subset);
    subsets
}

/// The pod's address, if the service may show it.
fn published<'a>(service: &Service, object: &Object, pod: &'a Pod) -> Option<&'a str> {
    let ended = pod.phase.is_final() || pod.phase == Phase::Unknown && object.deleting;
    if ended || (object.deleting && !service.publish_not_ready) {
        return None;
    }
    published_anyway(pod)
}

/// The address of a pod that has not ended, if the API server takes it.
pub(crate) fn published_anyway(pod: &Pod) -> Option<&str> {
    let address = pod.address.as_deref().filter(|_| !pod.phase.is_final())?;
    let parsed: IpAddr = address.parse().ok()?;
    // The API server refuses such an address, and nobody else could reach it.
    (!parsed.is_loopback() && !parsed.is_unspecified()).then_some(address)
}

pub(crate) fn resolve(port: &ServicePort, pod: &Pod) -> Option<Port> {
    let number = match &port.target {
        TargetPort::Number(number) => *number,
        TargetPort::Named(name) => {
            pod.ports
                .iter()
                .find(|known| known.name == *name && known.protocol == port.protocol)?
                .number
        }
    };
    Some((port.name.clone(), port.protocol.clone(), number, port.app_protocol.clone()))
}

fn subset(namespace: &str, ports: BTreeSet<Port>, group: Group) -> EndpointSubset {
    let list = |addresses: BTreeSet<Address>| {
        let list: Vec<EndpointAddress> =
            addresses.into_iter().map(|address| endpoint_address(namespace, address)).collect();
        Some(list).filter(|list| !list.is_empty())
    };
    let mut ports: Vec<EndpointPort> = ports
        .into_iter()
        .map(|(name, protocol, port, app_protocol)| EndpointPort {
            name,
            port,
            protocol: Some(protocol),
            app_protocol,
        })
        .collect();
    ports.sort_by_cached_key(printed::of_port);
    EndpointSubset {
        addresses: list(group.ready),
        not_ready_addresses: list(group.not_ready),
        ports: Some(ports).filter(|ports| !ports.is_empty()),
    }
}

fn endpoint_address(namespace: &str, address: Address) -> EndpointAddress {
    EndpointAddress {
        ip: address.ip,
        hostname: address.hostname,
        node_name: address.node,
        target_ref: Some(ObjectReference {
            kind: Some("Pod".to_owned()),
            namespace: Some(namespace.to_owned()),
            name: Some(address.pod_name),
            uid: Some(address.pod_uid),
            ..ObjectReference::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Key};
    use crate::kinds::Kind;
    use k8s_openapi::api::core::v1 as core;
    use serde_json::{Value, json};

    fn service(spec: &Value) -> Service {
        let service: core::Service =
            serde_json::from_value(json!({"metadata": {"name": "s"}, "spec": spec}))
                .expect("service");
        Service::from(&service)
    }

    fn pod(name: &str, ip: &str, ready: bool) -> Object {
        with(
            name,
            &json!({}),
            &json!({"phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}),
        )
    }

    fn with(name: &str, spec: &Value, status: &Value) -> Object {
        let mut whole = json!({"nodeName": "n", "containers": [{"name": "c", "ports": [{"name": "rest", "containerPort": 8081}]}]});
        whole.as_object_mut().expect("object").extend(spec.as_object().expect("object").clone());
        let pod: core::Pod =
            serde_json::from_value(json!({"metadata": {}, "spec": whole, "status": status}))
                .expect("pod");
        Object::bare(Kind::Pod, Key::new("ns", name), Facts::Pod(Box::new((&pod).into())))
    }

    /// `ready|not ready:ports` of each subset.
    fn summary(service: &Service, pods: &[Object]) -> Vec<String> {
        let pods: Vec<&Object> = pods.iter().collect();
        let ips = |list: Option<Vec<EndpointAddress>>| {
            list.into_iter().flatten().map(|address| address.ip).collect::<Vec<_>>().join(",")
        };
        let line = |subset: EndpointSubset| {
            let ports: Vec<String> = subset
                .ports
                .into_iter()
                .flatten()
                .map(|port| format!("{}={}", port.name.unwrap_or_default(), port.port))
                .collect();
            format!(
                "{}|{}:{}",
                ips(subset.addresses),
                ips(subset.not_ready_addresses),
                ports.join(",")
            )
        };
        subsets("s", "ns", service, &pods).into_iter().map(line).collect()
    }

    const REST: &str = r#"{"selector": {"a": "b"}, "ports": [{"name": "rest", "port": 80, "targetPort": "rest"}]}"#;

    fn rest() -> Value {
        serde_json::from_str(REST).expect("json")
    }

    #[test]
    fn ready_and_unready_pods_stand_apart_with_the_port_of_the_container() {
        let pods = [pod("b", "10.0.0.2", false), pod("a", "10.0.0.1", true)];
        assert_eq!(summary(&service(&rest()), &pods), ["10.0.0.1|10.0.0.2:rest=8081"]);
    }

    #[test]
    fn a_service_may_publish_pods_before_they_are_ready_and_while_they_end() {
        let ending = Object { deleting: true, ..pod("c", "10.0.0.3", true) };
        let pods = [pod("b", "10.0.0.2", false), ending];
        assert_eq!(summary(&service(&rest()), &pods), ["|10.0.0.2:rest=8081"]);
        let mut spec = rest();
        spec["publishNotReadyAddresses"] = json!(true);
        assert_eq!(summary(&service(&spec), &pods), ["10.0.0.2,10.0.0.3|:rest=8081"]);
    }

    #[test]
    fn pods_without_a_usable_address_are_left_out() {
        let ended = with("e", &json!({}), &json!({"phase": "Succeeded", "podIP": "10.0.0.9"}));
        let pods = [pod("a", "127.0.0.1", true), pod("b", "", true), pod("c", "::1", true), ended];
        assert_eq!(summary(&service(&rest()), &pods), Vec::<String>::new());
    }

    #[test]
    fn a_named_port_that_a_pod_lacks_leaves_that_pod_out() {
        let spec = json!({"selector": {}, "ports": [{"name": "x", "port": 1, "targetPort": "nothing"}, {"name": "y", "port": 2}]});
        assert_eq!(summary(&service(&spec), &[pod("a", "10.0.0.1", true)]), ["10.0.0.1|:y=2"]);
        let spec =
            json!({"selector": {}, "ports": [{"name": "x", "port": 1, "targetPort": "nothing"}]});
        assert_eq!(summary(&service(&spec), &[pod("a", "10.0.0.1", true)]), Vec::<String>::new());
    }

    #[test]
    fn a_headless_service_needs_no_ports() {
        let pods = [pod("a", "10.0.0.1", true)];
        assert_eq!(
            summary(&service(&json!({"clusterIP": "None", "selector": {}})), &pods),
            ["10.0.0.1|:"]
        );
        assert_eq!(
            summary(&service(&json!({"clusterIP": "10.96.0.7", "selector": {}})), &pods),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_address_names_its_pod_and_the_host_name_only_under_its_own_subdomain() {
        let named = with(
            "p",
            &json!({"hostname": "h", "subdomain": "s"}),
            &json!({"phase": "Running", "podIP": "10.0.0.1"}),
        );
        let of = |name: &str| {
            subsets(name, "ns", &service(&rest()), &[&named])
                .remove(0)
                .not_ready_addresses
                .expect("addresses")
                .remove(0)
        };
        assert_eq!(of("s").hostname.as_deref(), Some("h"));
        assert_eq!(of("t").hostname, None);
        let target = of("s").target_ref.expect("reference");
        assert_eq!(
            (target.kind.as_deref(), target.name.as_deref(), target.uid.as_deref()),
            (Some("Pod"), Some("p"), Some("p"))
        );
    }
}
