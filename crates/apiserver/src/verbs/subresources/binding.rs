//! Binding a pod to a node.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    clock,
    failure::{Cause, Failure},
    request::Call,
    verbs::{body, metadata, write},
};

pub(super) async fn bind(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let binding = body::read_object(call, request.into_body()).await?;
    let node = binding.pointer("/target/name").and_then(Value::as_str).unwrap_or_default();
    let kind = binding.pointer("/target/kind").and_then(Value::as_str).unwrap_or_default();
    let mut causes = Vec::new();
    if !["", "Node"].contains(&kind) {
        causes.push(Cause::unsupported("target.kind", &kind.into(), &["Node", "<empty>"]));
    }
    if node.is_empty() {
        causes.push(Cause::required("target.name", ""));
    }
    match causes.as_slice() {
        [] => {}
        [one] => return Err(Failure::unknown(one.to_string())),
        many => {
            let texts: Vec<String> = many.iter().map(ToString::to_string).collect();
            return Err(Failure::unknown(format!("[{}]", texts.join(", "))));
        }
    }
    let uid = metadata::text(&binding, "uid");
    write::change(api, call, |old| {
        let stored = metadata::text(old, "uid");
        if !uid.is_empty() && uid != stored {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {stored}"
            );
            return Err(Failure::conflict_of("pods/binding", call.name(), &why));
        }
        if metadata::is_deleting(old) {
            let why = format!("pod {} is being deleted, cannot be assigned to a host", call.name());
            return Err(Failure::conflict_of("pods/binding", call.name(), &why));
        }
        let current = old.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
        if !current.is_empty() {
            let why = format!("pod {} is already assigned to node \"{current}\"", call.name());
            return Err(Failure::conflict_of("pods/binding", call.name(), &why));
        }
        Ok(bound(old, node, &binding))
    })
    .await?;
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(Answer::Value(StatusCode::CREATED, status))
}

fn bound(old: &Value, node: &str, binding: &Value) -> Value {
    let mut pod = old.clone();
    pod["spec"]["nodeName"] = node.into();
    let annotations = binding.pointer("/metadata/annotations").and_then(Value::as_object);
    for (name, value) in annotations.into_iter().flatten() {
        pod["metadata"]["annotations"][name] = value.clone();
    }
    let condition = json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": clock::stamp()
    });
    if !pod["status"].is_object() {
        pod["status"] = json!({});
    }
    match pod["status"].get_mut("conditions").and_then(Value::as_array_mut) {
        Some(conditions) => {
            conditions.retain(|condition| condition["type"] != "PodScheduled");
            conditions.push(condition);
        }
        None => pod["status"]["conditions"] = json!([condition]),
    }
    pod
}
