//! The finalizers of a namespace's specification, which its controller removes when the namespace is empty.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    failure::Failure,
    request::Call,
    verbs::{body, metadata, update, write},
};

pub(super) async fn finalize(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let mut sent = body::read_object(call, request.into_body()).await?;
    body::check_kind(resource, &mut sent)?;
    let finalizers = sent.pointer("/spec/finalizers").cloned().unwrap_or(Value::Null);
    let revision = metadata::text(&sent, "resourceVersion");
    let written = write::change(api, call, |old| {
        if !revision.is_empty() && revision != metadata::text(old, "resourceVersion") {
            return Err(Failure::modified(resource, call.name()));
        }
        let mut new = old.clone();
        new["spec"] = if finalizers.as_array().is_some_and(|list| !list.is_empty()) {
            json!({"finalizers": finalizers})
        } else {
            json!({})
        };
        Ok(new)
    })
    .await?;
    Ok(update::answer(call, written))
}
