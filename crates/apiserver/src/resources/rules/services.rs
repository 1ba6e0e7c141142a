//! The rules of services. Addresses and node ports are given out elsewhere, because they need the other services.

use serde_json::{Value, json};

use super::{Rules, child, default_to, items, names, text};
use crate::failure::Cause;

/// Services.
pub(crate) struct Services;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

impl Rules for Services {
    fn default(&self, object: &mut Value) {
        let Some(spec) = child(object, "spec") else { return };
        default_to(spec, "type", "ClusterIP");
        default_to(spec, "sessionAffinity", "None");
        let kind = text(spec, "/type").to_owned();
        if kind != "ExternalName" {
            default_to(spec, "internalTrafficPolicy", "Cluster");
        }
        if has_node_ports(&kind) {
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
            && spec.get("clusterIPs").is_none()
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
        vec![Cause::invalid("spec.clusterIPs[0]", value, "may not change once set")]
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
        names::check_labels(object.pointer("/spec/selector"), "spec.selector", &mut causes);
        causes
    }

    fn name_is_label(&self) -> bool {
        true
    }
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
