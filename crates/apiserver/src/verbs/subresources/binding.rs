//! Binding a pod to a node.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use k8s_openapi::{api::core::v1::Binding, apimachinery::pkg::apis::meta::v1::ObjectMeta};
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
    let binding: Binding = body::read_as(call, request.into_body()).await?;
    if binding.metadata.name.as_deref() != Some(call.name()) {
        return Err(Failure::bad_request("name in URL does not match name in Binding object"));
    }
    let node = binding.target.name.as_deref().unwrap_or_default();
    let kind = binding.target.kind.as_deref().unwrap_or_default();
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
    write::change(api, call, |old| {
        check_preconditions(call, &binding.metadata, old)?;
        if metadata::is_deleting(old) {
            let why = format!("pod {} is being deleted, cannot be assigned to a host", call.name());
            return Err(Failure::conflict_of("pods/binding", call.name(), &why));
        }
        let current = old.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
        if !current.is_empty() {
            let why = format!("pod {} is already assigned to node \"{current}\"", call.name());
            return Err(Failure::conflict_of("pods/binding", call.name(), &why));
        }
        let gates = old.pointer("/spec/schedulingGates").and_then(Value::as_array);
        if gates.is_some_and(|gates| !gates.is_empty()) {
            let why = format!("pod {} has non-empty .spec.schedulingGates", call.name());
            return Err(Failure::conflict_of("pods/binding", call.name(), &why));
        }
        Ok(bound(old, node, &binding))
    })
    .await?;
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(Answer::Value(StatusCode::CREATED, status))
}

/// The binding may say which pod it means, and in which state.
fn check_preconditions(call: &Call, asked: &ObjectMeta, old: &Value) -> Result<(), Failure> {
    let resource = call.target.resource;
    let asked = [
        ("UID", "uid", &asked.uid),
        ("ResourceVersion", "resourceVersion", &asked.resource_version),
    ];
    for (what, field, asked) in asked {
        let stored = metadata::text(old, field);
        let Some(asked) = asked.as_deref().filter(|asked| !asked.is_empty() && *asked != stored)
        else {
            continue;
        };
        let why = write::wrong_precondition(resource, &call.key(), what, asked, stored);
        return Err(Failure::conflict(resource, call.name(), &why));
    }
    Ok(())
}

fn bound(old: &Value, node: &str, binding: &Binding) -> Value {
    let mut pod = old.clone();
    pod["spec"]["nodeName"] = node.into();
    for (name, value) in binding.metadata.annotations.iter().flatten() {
        pod["metadata"]["annotations"][name] = value.as_str().into();
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
