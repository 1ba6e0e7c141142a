//! The rules of nodes.

use serde_json::{Value, json};

use super::{Rules, child, names, services, text, write_empty};
use crate::failure::Cause;

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const FACTS: [&str; 10] = [
    "architecture",
    "bootID",
    "containerRuntimeVersion",
    "kernelVersion",
    "kubeProxyVersion",
    "kubeletVersion",
    "machineID",
    "operatingSystem",
    "osImage",
    "systemUUID",
];

/// Nodes.
pub(crate) struct Nodes;

impl Rules for Nodes {
    fn default(&self, object: &mut Value) {
        child(object, "spec");
        let Some(status) = child(object, "status") else { return };
        if status.get("allocatable").is_none()
            && let Some(capacity) = status.get("capacity").cloned()
        {
            status["allocatable"] = capacity;
        }
    }

    fn complete(&self, object: &mut Value) {
        if let Some(spec) = child(object, "spec") {
            let own = text(spec, "/podCIDR").to_owned();
            if !own.is_empty() && text(spec, "/podCIDRs/0") != own {
                spec["podCIDRs"] = json!([own]);
            }
        }
        let Some(status) = child(object, "status") else { return };
        let endpoint =
            child(status, "daemonEndpoints").and_then(|all| child(all, "kubeletEndpoint"));
        if let Some(endpoint) = endpoint {
            write_empty(endpoint, "Port", 0.into());
        }
        if let Some(facts) = child(status, "nodeInfo") {
            for name in FACTS {
                write_empty(facts, name, "".into());
            }
        }
    }

    // A node registers itself with its status.
    fn prepare_create(&self, _object: &mut Value) {}

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        let list = |pointer: &str| object.pointer(pointer).and_then(Value::as_array);
        check_taints(list("/spec/taints").map(Vec::as_slice).unwrap_or_default(), &mut causes);
        for (position, block) in list("/spec/podCIDRs").into_iter().flatten().enumerate() {
            if !services::is_block(block.as_str().unwrap_or_default()) {
                let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
                causes.push(Cause::invalid(format!("spec.podCIDRs[{position}]"), block, detail));
            }
        }
        causes
    }
}

fn check_taints(taints: &[Value], causes: &mut Vec<Cause>) {
    let mut seen = Vec::new();
    for (position, taint) in taints.iter().enumerate() {
        let place = format!("metadata.taints[{position}]");
        let (key, value, effect) =
            (text(taint, "/key"), text(taint, "/value"), text(taint, "/effect"));
        let invalid = |part: &str, value: &str, problem: &str| {
            Cause::invalid(format!("{place}.{part}"), &value.into(), problem)
        };
        causes.extend(names::qualified_problems(key).iter().map(|it| invalid("key", key, it)));
        causes.extend(names::label_value_problem(value).map(|it| invalid("value", value, &it)));
        if effect.is_empty() {
            causes.push(Cause::required(format!("{place}.effect"), ""));
        } else if !EFFECTS.contains(&effect) {
            causes.push(Cause::unsupported(format!("{place}.effect"), &effect.into(), &EFFECTS));
        }
        if seen.contains(&(key, effect)) {
            let since = taint.get("timeAdded").unwrap_or(&Value::Null);
            let told = json!({"Key": key, "Value": value, "Effect": effect, "TimeAdded": since});
            let detail = "taints must be unique by key and effect pair";
            causes.push(Cause::duplicate_because(place, &told, detail));
        }
        seen.push((key, effect));
    }
}
