//! Patch, in each of its forms.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::{
    body, create, metadata,
    update::{answer, part_of},
    write::{self, Part},
};
use crate::{
    api::{Answer, Api},
    failure::{Cause, Failure},
    managed::{self, Author},
    patches,
    request::Call,
};

const ACCEPTED: &str = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";

/// The forms that change what is there; applying is another matter.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Merge,
    Strategic,
}

/// PATCH of an object or of its status.
pub(super) async fn patch(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let form = match call.content_type() {
        "application/json-patch+json" => Form::Json,
        "application/merge-patch+json" => Form::Merge,
        "application/strategic-merge-patch+json" => Form::Strategic,
        "application/apply-patch+yaml" => return apply(api, call, request).await,
        _ => return Err(Failure::unsupported_media_type(ACCEPTED)),
    };
    let bytes = body::read(request.into_body()).await?;
    let patch: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
    let part = part_of(call);
    let written = write::change(api, call, |old| {
        let patched = patched(form, old, &patch)?;
        write::finish_tracked(call, part, patched, old)
    })
    .await?;
    Ok(answer(call, written))
}

fn patched(form: Form, old: &Value, patch: &Value) -> Result<Value, Failure> {
    match form {
        Form::Json => {
            patches::json::apply(old.clone(), patch).map_err(Failure::unprocessable_patch)
        }
        Form::Merge => {
            if !patch.is_object() {
                return Err(Failure::bad_request(
                    "error decoding patch: a merge patch must be an object",
                ));
            }
            Ok(patches::merge(old.clone(), patch))
        }
        Form::Strategic => {
            patches::strategic::apply(old.clone(), patch).map_err(Failure::bad_request)
        }
    }
}

/// Server-side apply.
async fn apply(api: &Arc<Api>, call: &Call, request: Request<Body>) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let Some(manager) = call.query.text("fieldManager").map(str::to_owned) else {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(Failure::invalid_kind("meta.k8s.io", "PatchOptions", "", &[cause]));
    };
    let force = call.query.flag("force");
    let bytes = body::read(request.into_body()).await?;
    let mut config = body::parse_yaml(&bytes)
        .map_err(|problem| Failure::bad_request(format!("error decoding YAML: {problem}")))?;
    body::check_kind(resource, &mut config)?;
    if config.pointer("/metadata/managedFields").is_some_and(|list| !list.is_null()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    if metadata::text(&config, "name").is_empty() {
        metadata::of(&mut config).insert("name".into(), call.name().into());
    }
    body::quantities_to_text(&mut config);
    let part = part_of(call);
    let author = Author { manager: &manager, subresource: part.subresource() };
    if part == Part::Object && api.store.get(resource.id, &call.key()).is_none() {
        if !metadata::text(&config, "uid").is_empty() {
            return Err(Failure::not_found(resource, call.name()));
        }
        match create_applied(api, call, &config, &author).await {
            // Somebody else was faster: it is applied to theirs.
            Err(failure) if failure.reason == "AlreadyExists" => {}
            other => return other,
        }
    }
    let written = write::change(api, call, |old| {
        let applied = managed::apply(resource, old, &config, &author, force)
            .map_err(|conflicts| Failure::apply_conflict(&conflicts))?;
        let mut new = write::finish_update(call, part, applied.object.clone(), old)?;
        applied.note_managers(&mut new, old);
        Ok(new)
    })
    .await?;
    Ok(answer(call, written))
}

async fn create_applied(
    api: &Api,
    call: &Call,
    config: &Value,
    author: &Author<'_>,
) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let nothing = json!({});
    let track = |object: &mut Value| {
        // Nobody else is there to disagree.
        if let Ok(applied) = managed::apply(resource, &nothing, config, author, true) {
            applied.note_managers(object, &nothing);
        }
    };
    create::create_tracked(api, call, config.clone(), &track).await
}
