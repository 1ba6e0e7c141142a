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
    failure::Failure,
    managed::{self, Author},
    patches,
    request::Call,
    security::authorization,
};

/// The media type of what is applied.
pub(super) const APPLY: &str = "application/apply-patch+yaml";

/// The forms that change what is there; applying is another matter.
#[derive(Clone, Copy)]
pub(super) enum Form {
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
    let Some(form) = form_of(call) else {
        if call.content_type() == APPLY {
            return apply(api, call, request).await;
        }
        return Err(Failure::unsupported_patch());
    };
    let patch = read(form, request.into_body()).await?;
    let part = part_of(call);
    let written = write::change(api, call, |old| {
        let patched = patched(form, old, &patch)?;
        body::check_patched(call, &patched)?;
        write::finish_tracked(api, call, part, patched, old)
    })
    .await?;
    Ok(answer(call, written))
}

/// The form of the patch in a call; `None` where it is none of these.
pub(super) fn form_of(call: &Call) -> Option<Form> {
    match call.content_type() {
        "application/json-patch+json" => Some(Form::Json),
        "application/merge-patch+json" => Some(Form::Merge),
        "application/strategic-merge-patch+json" => Some(Form::Strategic),
        _ => None,
    }
}

/// The patch in a body.
pub(super) async fn read(form: Form, body: Body) -> Result<Value, Failure> {
    let bytes = body::read(body).await?;
    let patch: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
    let fits = match form {
        Form::Json => patch.is_array(),
        Form::Merge | Form::Strategic => patch.is_object(),
    };
    if fits {
        Ok(patch)
    } else {
        Err(Failure::bad_request("error decoding patch: it is of another form"))
    }
}

pub(super) fn patched(form: Form, old: &Value, patch: &Value) -> Result<Value, Failure> {
    match form {
        Form::Json => {
            patches::json::apply(old.clone(), patch).map_err(|why| Failure::json_patch(&why))
        }
        Form::Merge => Ok(patches::merge(old.clone(), patch)),
        Form::Strategic => patches::strategic::apply(old.clone(), patch).map_err(Failure::unknown),
    }
}

/// Server-side apply.
async fn apply(api: &Arc<Api>, call: &Call, request: Request<Body>) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let manager = call.manager();
    let force = call.query.flag("force");
    let bytes = body::read(request.into_body()).await?;
    let mut config = body::parse_yaml(&bytes)
        .map_err(|problem| Failure::bad_request(format!("error decoding YAML: {problem}")))?;
    check_applied(call, &config)?;
    if config.pointer("/metadata/managedFields").is_some_and(|list| !list.is_null()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    body::quantities_to_text(&mut config);
    let part = part_of(call);
    let author = Author { manager: &manager, subresource: part.subresource() };
    if part == Part::Object && api.store.get(resource.id, &call.key()).is_none() {
        if !metadata::text(&config, "uid").is_empty() {
            let why = format!(
                "uid mismatch: the provided object specified uid {}, and no existing object was found",
                metadata::text(&config, "uid")
            );
            return Err(Failure::conflict(resource, call.name(), &why));
        }
        authorization::check(api, &call.user, &call.attributes.with_verb("create"))?;
        metadata::of(&mut config).shift_remove("resourceVersion");
        match create_applied(api, call, &config, &author).await {
            // Somebody else was faster: it is applied to theirs.
            Err(failure) if failure.reason == "AlreadyExists" => {}
            other => return other,
        }
    }
    let written = write::change(api, call, |old| {
        let applied = managed::apply(resource, old, &config, &author, force)
            .map_err(|conflicts| Failure::apply_conflict(&conflicts))?;
        let mut new = write::finish_update(api, call, part, applied.object.clone(), old)?;
        applied.note_managers(&mut new, old);
        Ok(new)
    })
    .await?;
    Ok(answer(call, written))
}

/// What is applied must be the object in the path, of its kind, with fields that the kind has.
fn check_applied(call: &Call, config: &Value) -> Result<(), Failure> {
    let resource = call.target.resource;
    if !config.is_object() && !config.is_null() {
        return Err(Failure::bad_request("error decoding YAML: it is no object"));
    }
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if version != resource.api_version() || kind != resource.kind {
        let version =
            if version.contains('/') { version.to_owned() } else { format!("/{version}") };
        return Err(Failure::bad_request(format!("invalid object type: {version}, Kind={kind}")));
    }
    metadata::check_name(call, config)?;
    let unreadable = |problem: String| {
        let name = format!("{}/{}", metadata::text(config, "namespace"), call.name());
        let version = &resource.api_version();
        let version =
            if version.contains('/') { version.to_owned() } else { format!("/{version}") };
        Failure::unknown(format!(
            "failed to create typed patch object ({name}; {version}, Kind={kind}): {problem}"
        ))
    };
    let mut sent = config.clone();
    body::quantities_to_text(&mut sent);
    let typed = (resource.typed)(sent.clone()).map_err(|error| unreadable(error.to_string()))?;
    match body::unknown_fields(&sent, &typed).first() {
        Some(field) => Err(unreadable(format!(".{field}: field not declared in schema"))),
        None => Ok(()),
    }
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
