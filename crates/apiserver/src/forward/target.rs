//! Which address a proxied request goes to.

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

use crate::{api::Api, failure::Failure};

/// `scheme:name:port`, of which only the name must be there.
struct Subject<'a> {
    name: &'a str,
    port: &'a str,
}

fn split<'a>(id: &'a str, what: &str) -> Result<Subject<'a>, Failure> {
    let parts: Vec<&str> = id.split(':').collect();
    let subject = match parts.as_slice() {
        [name] => Subject { name, port: "" },
        [name, port] | ["http" | "", name, port] => Subject { name, port },
        ["https", name, _] => {
            return Err(Failure::bad_request(format!(
                "the proxy of this server does not speak TLS to {what} \"{name}\""
            )));
        }
        _ => return Err(Failure::bad_request(format!("invalid {what} request \"{id}\""))),
    };
    if subject.name.is_empty() {
        return Err(Failure::bad_request(format!("invalid {what} request \"{id}\"")));
    }
    Ok(subject)
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The address of a pod behind a service.
pub(super) fn of_service(api: &Api, namespace: &str, id: &str) -> Result<SocketAddr, Failure> {
    let subject = split(id, "service")?;
    let services = api.registry.core("services");
    let key = services.key(namespace, subject.name);
    let service = api
        .store
        .get(services.id, &key)
        .ok_or_else(|| Failure::not_found(services, subject.name))?
        .value();
    let mut port_name = subject.port.to_owned();
    if let Ok(number) = subject.port.parse::<u16>() {
        let port =
            list(&service, "/spec/ports").find(|port| port.get("port") == Some(&number.into()));
        let port = port.ok_or_else(|| {
            Failure::unavailable(format!(
                "no service port {number} found for service \"{}\"",
                subject.name
            ))
        })?;
        text(port, "name").clone_into(&mut port_name);
    }
    let endpoints_resource = api.registry.core("endpoints");
    let endpoints = api
        .store
        .get(endpoints_resource.id, &key)
        .ok_or_else(|| Failure::not_found(endpoints_resource, subject.name))?
        .value();
    let none =
        |name: &str| Failure::unavailable(format!("no endpoints available for service \"{name}\""));
    if list(&endpoints, "/subsets").next().is_none() {
        return Err(none(subject.name));
    }
    let mut candidates = Vec::new();
    for subset in list(&endpoints, "/subsets") {
        for port in list(subset, "/ports").filter(|port| text(port, "name") == port_name) {
            let number = port
                .get("port")
                .and_then(Value::as_u64)
                .and_then(|number| u16::try_from(number).ok());
            for address in list(subset, "/addresses") {
                let ip = text(address, "ip")
                    .parse::<IpAddr>()
                    .ok()
                    .filter(|_| is_of_pod(api, namespace, address));
                candidates.extend(ip.zip(number).map(|(ip, number)| SocketAddr::new(ip, number)));
            }
        }
    }
    let chosen = usize::from(uuid::Uuid::new_v4().as_bytes()[0]) % candidates.len().max(1);
    candidates.get(chosen).copied().ok_or_else(|| none(id))
}

/// An address that no existing pod vouches for is never proxied to: it could be anything.
fn is_of_pod(api: &Api, namespace: &str, address: &Value) -> bool {
    let name = address.pointer("/targetRef/name").and_then(Value::as_str).unwrap_or_default();
    let pods = api.registry.core("pods");
    let Some(pod) = api.store.get(pods.id, &pods.key(namespace, name)) else { return false };
    let pod = pod.value();
    let ip = text(address, "ip");
    pod.pointer("/status/podIP").is_some_and(|own| own == ip)
        || list(&pod, "/status/podIPs").any(|own| text(own, "ip") == ip)
}

/// The address of a pod.
pub(super) fn of_pod(api: &Api, namespace: &str, id: &str) -> Result<SocketAddr, Failure> {
    let subject = split(id, "pod")?;
    let pods = api.registry.core("pods");
    let stored = api.store.get(pods.id, &pods.key(namespace, subject.name));
    let pod = stored.ok_or_else(|| Failure::not_found(pods, subject.name))?.value();
    let port = if subject.port.is_empty() {
        list(&pod, "/spec/containers")
            .flat_map(|container| list(container, "/ports"))
            .find_map(|port| port.get("containerPort").and_then(Value::as_u64))
            .and_then(|number| u16::try_from(number).ok())
            .unwrap_or(80)
    } else {
        let invalid = |_| Failure::bad_request(format!("invalid pod request \"{id}\""));
        subject.port.parse().map_err(invalid)?
    };
    let address = pod.pointer("/status/podIP").and_then(Value::as_str).unwrap_or_default();
    let address: IpAddr = address
        .parse()
        .ok()
        .filter(is_global_unicast)
        .ok_or_else(|| Failure::bad_request("address not allowed"))?;
    Ok(SocketAddr::new(address, port))
}

/// Whether it leads from one machine to another; private ranges do, as Go counts them.
fn is_global_unicast(address: &IpAddr) -> bool {
    let is_near = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !is_near && !address.is_loopback() && !address.is_unspecified() && !address.is_multicast()
}
