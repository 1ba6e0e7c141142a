//! The number of replicas as an object of its own.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    failure::{Cause, Failure},
    managed::{self, Author},
    patches,
    request::Call,
    selector::labels::Requirements,
    verbs::{
        body, metadata,
        write::{self, Written},
    },
};

pub(super) fn get(api: &Api, call: &Call) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let stored = api.store.get(resource.id, &call.key());
    let stored = stored.ok_or_else(|| Failure::not_found(resource, call.name()))?;
    Ok(Answer::Value(StatusCode::OK, scale_of(&stored.value())))
}

pub(super) async fn change(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let replace = call.method == Method::PUT;
    let json_patch = call.content_type() == "application/json-patch+json";
    let bytes = body::read(request.into_body()).await?;
    let sent = body::parse_yaml(&bytes).map_err(Failure::bad_request)?;
    let manager = call.manager();
    let written = write::change(api, call, |old| {
        let before = scale_of(old);
        let wanted = if replace {
            sent.clone()
        } else if json_patch {
            patches::json::apply(before, &sent).map_err(|why| Failure::json_patch(&why))?
        } else {
            patches::merge(before, &sent)
        };
        metadata::check_name(call, &wanted)?;
        let revision = metadata::text(&wanted, "resourceVersion");
        if !revision.is_empty() && revision != metadata::text(old, "resourceVersion") {
            return Err(Failure::modified(resource, call.name()));
        }
        let replicas = wanted.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
        if replicas < 0 {
            let cause = Cause::invalid(
                "spec.replicas",
                &replicas.into(),
                "must be greater than or equal to 0",
            );
            return Err(Failure::invalid_kind("autoscaling", "Scale", call.name(), &[cause]));
        }
        let mut new = old.clone();
        new["spec"]["replicas"] = replicas.into();
        metadata::count_generation(resource, &mut new, old);
        let author = Author { manager: &manager, subresource: "scale" };
        managed::track_update(resource, &mut new, old, &author);
        Ok(new)
    })
    .await?;
    let object = match written {
        Written::Stored(object) | Written::Removed(object) => object.value(),
        Written::DryRun(value) => value,
    };
    Ok(Answer::Value(StatusCode::OK, scale_of(&object)))
}

fn scale_of(object: &Value) -> Value {
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object.pointer(&format!("/metadata/{field}")) {
            metadata[field] = value.clone();
        }
    }
    let number = |pointer: &str| object.pointer(pointer).cloned().unwrap_or_else(|| 0.into());
    // None are not told, as the real server writes them.
    let replicas = object.pointer("/spec/replicas").filter(|count| **count != 0);
    let spec = replicas.map_or_else(|| json!({}), |count| json!({"replicas": count}));
    let selector = object.pointer("/spec/selector").unwrap_or(&Value::Null);
    let selector = Requirements::of_selector(selector)
        .map(|selector| selector.to_string())
        .unwrap_or_default();
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": spec,
        "status": {"replicas": number("/status/replicas"), "selector": selector},
    })
}
