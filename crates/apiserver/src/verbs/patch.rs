//! Patch, in each of its forms.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use serde_json::Value;

use super::{
    body,
    update::{answer, part_of},
    write,
};
use crate::{
    api::{Answer, Api},
    failure::Failure,
    patches,
    request::Call,
};

const ACCEPTED: &str =
    "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";

/// PATCH of an object or of its status.
pub(super) async fn patch(api: &Arc<Api>, call: &Call, request: Request<Body>) -> Result<Answer, Failure> {
    let kind = call.content_type().to_owned();
    let bytes = body::read(request.into_body()).await?;
    let parsed: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
    let part = part_of(call);
    let written = write::change(api, call, |old| {
        let patched = match kind.as_str() {
            "application/merge-patch+json" => patches::merge(old.clone(), &parsed),
            _ => return Err(Failure::unsupported_media_type(ACCEPTED)),
        };
        write::finish_update(call, part, patched, old)
    })
    .await?;
    Ok(answer(call, written))
}
