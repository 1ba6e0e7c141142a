//! Nodes.

use serde_json::Value;

use super::{AGE, Column, NAME, list, or_none, string, text, wide};

pub(super) const COLUMNS: &[Column] = &[
    NAME,
    text("Status", |node| status(node).into()),
    text("Roles", roles),
    AGE,
    text("Version", |node| string(node, "/status/nodeInfo/kubeletVersion").into()),
    wide("Internal-IP", |node| or_none(address(node, "InternalIP"))),
    wide("External-IP", |node| or_none(address(node, "ExternalIP"))),
    wide("OS-Image", |node| or_unknown(string(node, "/status/nodeInfo/osImage"))),
    wide("Kernel-Version", |node| or_unknown(string(node, "/status/nodeInfo/kernelVersion"))),
    wide("Container-Runtime", |node| {
        or_unknown(string(node, "/status/nodeInfo/containerRuntimeVersion"))
    }),
];

fn or_unknown(text: &str) -> Value {
    if text.is_empty() { "<unknown>".into() } else { text.into() }
}

fn status(node: &Value) -> String {
    let ready = list(node, "/status/conditions").find(|condition| condition["type"] == "Ready");
    let mut status = match ready.map(|condition| string(condition, "/status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node.pointer("/spec/unschedulable").is_some_and(|flag| flag == true) {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn roles(node: &Value) -> Value {
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(label, _)| label.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    or_none(&roles.join(","))
}

fn address<'a>(node: &'a Value, kind: &str) -> &'a str {
    let address = list(node, "/status/addresses").find(|address| address["type"] == kind);
    address.map_or("", |address| string(address, "/address"))
}
