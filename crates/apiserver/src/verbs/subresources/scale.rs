//! The number of replicas as an object of its own.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use k8s_openapi::{Resource, api::autoscaling::v1::Scale};
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    failure::{Cause, Failure},
    managed::{self, Author},
    request::Call,
    resources,
    selector::labels::Requirements,
    verbs::{
        body, metadata,
        patch::{self, APPLY, Form},
        write::{self, Written},
    },
};

pub(super) fn get(api: &Api, call: &Call) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let stored = api.store.get(resource.id, &call.key());
    let stored = stored.ok_or_else(|| Failure::not_found(resource, call.name()))?;
    Ok(Answer::Value(StatusCode::OK, scale_of(&stored.value())))
}

/// What a request makes of the scale that there is.
enum Wish {
    Replace(Box<Scale>),
    Patch(Form, Value),
}

pub(super) async fn change(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let wish = match patch::form_of(call) {
        _ if call.method == Method::PUT => {
            let scale: Scale = body::read_as(call, request.into_body()).await?;
            check_name(call, &scale)?;
            Wish::Replace(Box::new(scale))
        }
        Some(form) => Wish::Patch(form, patch::read(form, request.into_body()).await?),
        None if call.content_type() == APPLY => return apply(api, call, request).await,
        None => return Err(Failure::unsupported_patch()),
    };
    let manager = call.manager();
    let author = Author { manager: &manager, subresource: "scale" };
    let written = write::change(api, call, |old| {
        let wanted = match &wish {
            Wish::Replace(scale) => scale.clone(),
            Wish::Patch(form, patch) => {
                let patched = patch::patched(*form, &scale_of(old), patch)?;
                Box::new(body::of_patched(call, patched)?)
            }
        };
        let mut new = scaled(call, old, &wanted)?;
        managed::track_update(call.target.resource, &mut new, old, &author);
        Ok(new)
    })
    .await?;
    Ok(answer(written))
}

/// Server-side apply: who applies a scale owns the number of replicas.
async fn apply(api: &Arc<Api>, call: &Call, request: Request<Body>) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let bytes = body::read(request.into_body()).await?;
    let config = body::parse_yaml(&bytes)
        .map_err(|problem| Failure::bad_request(format!("error decoding YAML: {problem}")))?;
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if (version, kind) != (Scale::API_VERSION, Scale::KIND) {
        return Err(Failure::bad_request(format!("invalid object type: {version}, Kind={kind}")));
    }
    let wanted: Scale = serde_json::from_value(config.clone()).map_err(|error| {
        let namespace = metadata::text(&config, "namespace");
        let place = format!("{namespace}/{}; {version}, Kind={kind}", call.name());
        Failure::unknown(format!("failed to create typed patch object ({place}): {error}"))
    })?;
    check_name(call, &wanted)?;
    let manager = call.manager();
    let author = Author { manager: &manager, subresource: "scale" };
    let force = call.query.flag("force");
    let applied = json!({"spec": wanted.spec});
    let written = write::change(api, call, |old| {
        let applied = managed::apply(resource, old, &applied, &author, force)
            .map_err(|conflicts| Failure::apply_conflict(&as_scale(resource, conflicts)))?;
        let replicas = applied.object.pointer("/spec/replicas").and_then(Value::as_i64);
        let mut wanted = wanted.clone();
        let number = replicas.and_then(|replicas| replicas.try_into().ok());
        wanted.spec.get_or_insert_default().replicas = number;
        let mut new = scaled(call, old, &wanted)?;
        applied.note_managers(&mut new, old);
        Ok(new)
    })
    .await?;
    Ok(answer(written))
}

/// The fields of others are those of a scale, whichever version they were written in.
fn as_scale(
    resource: &resources::Resource,
    mut conflicts: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let own = format!(" using {}", resource.api_version());
    let told = format!(" using {}", Scale::API_VERSION);
    for (manager, _) in &mut conflicts {
        *manager = manager.replace(&own, &told);
    }
    conflicts
}

fn check_name(call: &Call, scale: &Scale) -> Result<(), Failure> {
    metadata::check_name(call, &json!({"metadata": scale.metadata}))
}

/// The object with the number of replicas that a scale has.
fn scaled(call: &Call, old: &Value, scale: &Scale) -> Result<Value, Failure> {
    let resource = call.target.resource;
    check_name(call, scale)?;
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let (uid, stored) = (said(&scale.metadata.uid), metadata::text(old, "uid"));
    if !uid.is_empty() && uid != stored {
        let why = write::wrong_uid(resource, &call.key(), &uid, stored);
        return Err(Failure::conflict(resource, call.name(), &why));
    }
    let revision = said(&scale.metadata.resource_version);
    if !revision.is_empty() && revision != metadata::text(old, "resourceVersion") {
        return Err(Failure::modified(resource, call.name()));
    }
    // None at all are meant where no number is given, as the real server's types have it.
    let replicas = scale.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(0);
    if replicas < 0 {
        let detail = "must be greater than or equal to 0";
        let cause = Cause::invalid("spec.replicas", &replicas.into(), detail);
        return Err(Failure::invalid_kind("autoscaling", Scale::KIND, call.name(), &[cause]));
    }
    let mut new = old.clone();
    new["spec"]["replicas"] = replicas.into();
    metadata::count_generation(resource, &mut new, old);
    Ok(new)
}

fn answer(written: Written) -> Answer {
    let object = match written {
        Written::Stored(object) | Written::Removed(object) => object.value(),
        Written::DryRun(value) => value,
    };
    Answer::Value(StatusCode::OK, scale_of(&object))
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
