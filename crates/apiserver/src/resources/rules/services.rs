//! The rules of services. Addresses and node ports are given out elsewhere, because they need the other services.

use serde_json::{Value, json};

use super::{Rules, child, default_to, items, names, text, write_empty};
use crate::failure::Cause;

/// Services.
pub(crate) struct Services;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

impl Rules for Services {
    fn default(&self, object: &mut Value) {
        let Some(spec) = child(object, "spec") else { return };
        default_to(spec, "type", "ClusterIP");
        default_to(spec, "sessionAffinity", "None");
        if spec["sessionAffinity"] == "ClientIP"
            && let Some(client) =
                child(spec, "sessionAffinityConfig").and_then(|config| child(config, "clientIP"))
        {
            default_to(client, "timeoutSeconds", 10_800);
        }
        let kind = text(spec, "/type").to_owned();
        if kind != "ExternalName" {
            default_to(spec, "internalTrafficPolicy", "Cluster");
        }
        let outside = spec.get("externalIPs").and_then(Value::as_array).map_or(0, Vec::len) > 0;
        if has_node_ports(&kind) || outside {
            default_to(spec, "externalTrafficPolicy", "Cluster");
        }
        if kind == "LoadBalancer" {
            default_to(spec, "allocateLoadBalancerNodePorts", true);
        }
        for port in items(spec, "ports") {
            default_to(port, "protocol", "TCP");
            let number = port.get("port").cloned().unwrap_or_default();
            let missing = matches!(port.get("targetPort"), None | Some(Value::Null))
                || port["targetPort"] == ""
                || port["targetPort"] == 0;
            if missing {
                port["targetPort"] = number;
            }
        }
    }

    fn complete(&self, object: &mut Value) {
        if text(object, "/spec/type") != "LoadBalancer" {
            return;
        }
        let Some(balancer) = object.pointer_mut("/status/loadBalancer") else { return };
        for ingress in items(balancer, "ingress") {
            if !text(ingress, "/ip").is_empty() {
                write_empty(ingress, "ipMode", "VIP".into());
            }
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({"loadBalancer": {}});
    }

    /// What a client leaves out of an update stays as it was given.
    fn prepare_update(&self, new: &mut Value, old: &Value) {
        let Some(spec) = child(new, "spec") else { return };
        default_to(spec, "type", "ClusterIP");
        let (had_address, wants_address) =
            (text(old, "/spec/type") != "ExternalName", text(spec, "/type") != "ExternalName");
        if had_address
            && wants_address
            && text(spec, "/clusterIP").is_empty()
            && spec.get("clusterIPs").is_none_or(|all| Some(all) == old.pointer("/spec/clusterIPs"))
        {
            for field in ["clusterIP", "clusterIPs"] {
                if let Some(value) = old.pointer(&format!("/spec/{field}")) {
                    spec[field] = value.clone();
                }
            }
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            if let (None, Some(value)) = (spec.get(field), old.pointer(&format!("/spec/{field}"))) {
                spec[field] = value.clone();
            }
        }
        if had_address && !wants_address {
            drop_addresses(spec, old);
        }
        keep_node_ports(spec, old);
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let (before, after) =
            (old.pointer("/spec/clusterIPs/0"), new.pointer("/spec/clusterIPs/0"));
        let after = after.or_else(|| new.pointer("/spec/clusterIP"));
        let fixed =
            text(old, "/spec/type") != "ExternalName" && text(new, "/spec/type") != "ExternalName";
        let changed =
            new.pointer("/spec/clusterIP") != old.pointer("/spec/clusterIP") || before != after;
        if !fixed || before.is_none() || !changed {
            return Vec::new();
        }
        let value = new.pointer("/spec/clusterIP").or(after).unwrap_or(&Value::Null);
        vec![Cause::invalid("spec.clusterIPs[0]", &json!([value]), "may not change once set")]
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        let kind = text(object, "/spec/type");
        if !TYPES.contains(&kind) {
            causes.push(Cause::unsupported("spec.type", &kind.into(), &TYPES));
        }
        let headless = text(object, "/spec/clusterIP") == "None";
        let ports: Vec<&Value> =
            object.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten().collect();
        if ports.is_empty() && !headless && kind != "ExternalName" {
            causes.push(Cause::required("spec.ports", ""));
        }
        if headless && has_node_ports(kind) {
            let detail = "may not be set to 'None' for LoadBalancer services";
            let detail = detail.replace("LoadBalancer", kind);
            causes.push(Cause::invalid("spec.clusterIPs[0]", &"None".into(), &detail));
        }
        check_ports(&ports, &mut causes);
        check_numbers(&ports, &mut causes);
        check_traffic(object, kind, &ports, &mut causes);
        names::check_labels(object.pointer("/spec/selector"), "spec.selector", &mut causes);
        causes
    }

    fn name_problem(&self, name: &str) -> Option<String> {
        names::label_1035_problem(name)
    }
}

fn check_traffic(service: &Value, kind: &str, ports: &[&Value], causes: &mut Vec<Cause>) {
    let form = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    let affinity = text(service, "/spec/sessionAffinity");
    if !["", "ClientIP", "None"].contains(&affinity) {
        let supported = ["ClientIP", "None"];
        causes.push(Cause::unsupported("spec.sessionAffinity", &affinity.into(), &supported));
    }
    let list = |name: &str| service.pointer(&format!("/spec/{name}")).and_then(Value::as_array);
    let external = list("externalIPs").into_iter().flatten();
    for (position, address) in external.clone().enumerate() {
        let text = address.as_str().unwrap_or_default();
        if text.parse::<std::net::IpAddr>().is_err() {
            causes.push(Cause::invalid(format!("spec.externalIPs[{position}]"), address, form));
        }
    }
    let seen_from_outside = has_node_ports(kind) || external.count() > 0;
    let policy = text(service, "/spec/externalTrafficPolicy");
    if !policy.is_empty() && !seen_from_outside {
        let detail = "may only be set for externally-accessible services";
        causes.push(Cause::invalid("spec.externalTrafficPolicy", &policy.into(), detail));
    }
    for (position, range) in list("loadBalancerSourceRanges").into_iter().flatten().enumerate() {
        if !is_block(range.as_str().unwrap_or_default()) {
            let place = format!("spec.LoadBalancerSourceRanges[{position}]");
            let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            causes.push(Cause::invalid(place, range, detail));
        }
    }
    if kind == "ExternalName" {
        let name = text(service, "/spec/externalName").trim_end_matches('.');
        if name.is_empty() {
            causes.push(Cause::required("spec.externalName", ""));
        } else if let Some(problem) = names::subdomain_problem(name) {
            causes.push(Cause::invalid("spec.externalName", &name.into(), &problem));
        }
    }
    for (position, port) in ports.iter().enumerate() {
        let given = port.get("nodePort").is_some_and(|port| port != 0);
        if given && !has_node_ports(kind) {
            let detail = format!("may not be used when `type` is '{kind}'");
            causes.push(Cause::forbidden(format!("spec.ports[{position}].nodePort"), &detail));
        }
    }
}

/// A block of addresses, such as `10.0.0.0/8`.
pub(super) fn is_block(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        address.parse::<std::net::IpAddr>().is_ok()
            && bits.parse::<u8>().is_ok_and(|bits| bits <= 128)
    })
}

fn has_node_ports(kind: &str) -> bool {
    matches!(kind, "NodePort" | "LoadBalancer")
}

/// Node ports belong to the names of ports; a service that needs none any more loses those that it was given.
fn keep_node_ports(spec: &mut Value, old: &Value) {
    let old_ports =
        old.pointer("/spec/ports").and_then(Value::as_array).cloned().unwrap_or_default();
    let (had, has) = (has_node_ports(text(old, "/spec/type")), has_node_ports(text(spec, "/type")));
    for port in items(spec, "ports") {
        let same = old_ports.iter().find(|before| text(before, "/name") == text(port, "/name"));
        let given = same.and_then(|before| before.get("nodePort")).cloned();
        let Value::Object(map) = port else { continue };
        if had && has {
            if let (None, Some(given)) = (map.get("nodePort"), given) {
                map.insert("nodePort".into(), given);
            }
        } else if had && map.get("nodePort") == given.as_ref() {
            map.shift_remove("nodePort");
        }
    }
}

/// What only a service with an address has goes with it, unless the client gave it anew.
fn drop_addresses(spec: &mut Value, old: &Value) {
    const FIELDS: [&str; 5] =
        ["clusterIP", "clusterIPs", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy"];
    let given = text(spec, "/clusterIP").to_owned();
    let Value::Object(map) = spec else { return };
    if given.is_empty() {
        map.shift_remove("clusterIP");
        map.shift_remove("clusterIPs");
    }
    for field in FIELDS {
        if map.get(field) == old.get("spec").and_then(|spec| spec.get(field)) {
            map.shift_remove(field);
        }
    }
}

/// Two ports may not have one number of one protocol.
fn check_numbers(ports: &[&Value], causes: &mut Vec<Cause>) {
    let key = |port: &Value| (port.get("port").cloned(), text(port, "/protocol").to_owned());
    for (position, port) in ports.iter().enumerate() {
        let (number, protocol) = key(port);
        if ports[..position].iter().any(|other| key(other) == key(port)) {
            let told = json!({
                "Name": "", "Protocol": protocol, "AppProtocol": null,
                "Port": number, "TargetPort": 0, "NodePort": 0
            });
            causes.push(Cause::duplicate(format!("spec.ports[{position}]"), &told));
        }
    }
}

fn check_ports(ports: &[&Value], causes: &mut Vec<Cause>) {
    let mut seen = Vec::new();
    for (position, port) in ports.iter().enumerate() {
        let place = format!("spec.ports[{position}]");
        let number = port.get("port").unwrap_or(&Value::Null);
        if !number.as_i64().is_some_and(|number| (1..=65535).contains(&number)) {
            causes.push(Cause::invalid(
                format!("{place}.port"),
                number,
                "must be between 1 and 65535, inclusive",
            ));
        }
        let name = text(port, "/name");
        if name.is_empty() && ports.len() > 1 {
            causes.push(Cause::required(format!("{place}.name"), ""));
        } else if !name.is_empty()
            && let Some(problem) = names::label_problem(name)
        {
            causes.push(Cause::invalid(format!("{place}.name"), &name.into(), &problem));
        } else if !name.is_empty() && seen.contains(&name) {
            causes.push(Cause::duplicate(format!("{place}.name"), &name.into()));
        }
        seen.push(name);
        let target = port.get("targetPort").unwrap_or(&Value::Null);
        for problem in names::port_problems(target) {
            causes.push(Cause::invalid(format!("{place}.targetPort"), target, problem));
        }
        let protocol = text(port, "/protocol");
        if !["SCTP", "TCP", "UDP"].contains(&protocol) {
            let supported = ["SCTP", "TCP", "UDP"];
            causes.push(Cause::unsupported(
                format!("{place}.protocol"),
                &protocol.into(),
                &supported,
            ));
        }
    }
}
