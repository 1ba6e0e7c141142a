//! Endpoint slices.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{
    Rules, default_to, immutable, items,
    names::{label_problem, qualified_problems, subdomain_problem},
    text,
};
use crate::failure::Cause;

const TYPES: [&str; 3] = ["FQDN", "IPv4", "IPv6"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const MOST_ENDPOINTS: usize = 1000;
const MOST_ADDRESSES: usize = 100;
const MOST_PORTS: usize = 20_000;
const FORM: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// Endpoint slices.
pub(crate) struct Slices;

impl Rules for Slices {
    fn default(&self, object: &mut Value) {
        for port in items(object, "ports") {
            if port.get("name").is_none() {
                port["name"] = "".into();
            }
            default_to(port, "protocol", "TCP");
        }
    }

    fn complete(&self, object: &mut Value) {
        for list in ["endpoints", "ports"] {
            if object.get(list).is_none() {
                object[list] = Value::Null;
            }
        }
        for endpoint in items(object, "endpoints") {
            if endpoint.get("conditions").is_none() {
                endpoint["conditions"] = json!({});
            }
            if let Some(map) = endpoint.as_object_mut() {
                map.shift_remove("deprecatedTopology");
            }
        }
    }

    fn prepare_create(&self, _object: &mut Value) {}

    fn warnings_of_new(&self, object: &Value) -> Vec<String> {
        let deprecated = text(object, "/addressType") == "FQDN";
        let warning = || "spec.addressType: FQDN endpoints are deprecated".to_owned();
        deprecated.then(warning).into_iter().collect()
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        let kind = text(object, "/addressType");
        if kind.is_empty() {
            causes.push(Cause::required("addressType", ""));
        } else if !TYPES.contains(&kind) {
            causes.push(Cause::unsupported("addressType", &kind.into(), &TYPES));
        }
        check_ports(object, &mut causes);
        check_endpoints(object, kind, &mut causes);
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        immutable(new, old, "/addressType", "addressType").into_iter().collect()
    }

    fn counts_all(&self) -> bool {
        true
    }
}

fn list<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

fn check_ports(object: &Value, causes: &mut Vec<Cause>) {
    let ports = list(object, "ports");
    if ports.len() > MOST_PORTS {
        causes.push(Cause::too_many("ports", ports.len(), MOST_PORTS));
        return;
    }
    let mut names = Vec::new();
    for (position, port) in ports.iter().enumerate() {
        let place = format!("ports[{position}]");
        let name = text(port, "/name");
        let problem = Some(name).filter(|name| !name.is_empty()).and_then(label_problem);
        if let Some(problem) = problem {
            causes.push(Cause::invalid(format!("{place}.name"), &name.into(), &problem));
        }
        if names.contains(&name) {
            causes.push(Cause::duplicate(format!("{place}.name"), &name.into()));
        }
        names.push(name);
        let protocol = text(port, "/protocol");
        if !PROTOCOLS.contains(&protocol) {
            let place = format!("{place}.protocol");
            causes.push(Cause::unsupported(place, &protocol.into(), &PROTOCOLS));
        }
        if let Some(protocol) = port.get("appProtocol").and_then(Value::as_str) {
            for problem in qualified_problems(protocol) {
                let place = format!("{place}.appProtocol");
                causes.push(Cause::invalid(place, &protocol.into(), &problem));
            }
        }
    }
}

fn check_endpoints(object: &Value, kind: &str, causes: &mut Vec<Cause>) {
    let endpoints = list(object, "endpoints");
    if endpoints.len() > MOST_ENDPOINTS {
        causes.push(Cause::too_many("endpoints", endpoints.len(), MOST_ENDPOINTS));
        return;
    }
    for (position, endpoint) in endpoints.iter().enumerate() {
        let place = format!("endpoints[{position}]");
        let addresses = list(endpoint, "addresses");
        let field = format!("{place}.addresses");
        if addresses.is_empty() {
            causes.push(Cause::required(&*field, "must contain at least 1 address"));
        } else if addresses.len() > MOST_ADDRESSES {
            causes.push(Cause::too_many(&*field, addresses.len(), MOST_ADDRESSES));
        }
        for (number, address) in addresses.iter().filter_map(Value::as_str).enumerate() {
            check_address(address, kind, (&field, number), causes);
        }
        let node = text(endpoint, "/nodeName");
        if let Some(problem) = Some(node).filter(|it| !it.is_empty()).and_then(subdomain_problem) {
            causes.push(Cause::invalid(format!("{place}.nodeName"), &node.into(), &problem));
        }
        if let Some(name) = endpoint.get("hostname").and_then(Value::as_str)
            && let Some(problem) = label_problem(name)
        {
            causes.push(Cause::invalid(format!("{place}.hostname"), &name.into(), &problem));
        }
    }
}

fn check_address(
    address: &str,
    kind: &str,
    (list, number): (&str, usize),
    causes: &mut Vec<Cause>,
) {
    let place = format!("{list}[{number}]");
    let value = address.into();
    match (kind, address.parse::<IpAddr>()) {
        ("IPv4" | "IPv6", Err(_)) => causes.push(Cause::invalid(place, &value, FORM)),
        ("IPv4" | "IPv6", Ok(parsed)) => {
            if parsed.is_ipv4() != (kind == "IPv4") {
                let detail = format!("must be an {kind} address");
                causes.push(Cause::invalid(list, &value, &detail));
            }
            super::core::address_problems(address, &place, causes);
        }
        ("FQDN", _) => {
            let name = address.strip_suffix('.').unwrap_or(address);
            if let Some(problem) = subdomain_problem(name) {
                causes.push(Cause::invalid(place, &value, &problem));
            } else if !name.contains('.') {
                let detail = "should be a domain with at least two segments separated by dots";
                causes.push(Cause::invalid(place, &value, detail));
            }
        }
        _ => {}
    }
}
