//! Update: PUT of the whole object.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};

use super::{
    body, create, metadata,
    write::{self, Part, Written},
};
use crate::{
    api::{Answer, Api},
    failure::Failure,
    request::Call,
    resources::Habit,
    security::authorization,
};

/// PUT to an object or to its status.
pub(super) async fn update(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let sent = body::read_object(call, request.into_body()).await?;
    metadata::check_name(call, &sent)?;
    metadata::check_revision(&sent)?;
    let part = part_of(call);
    let exists = api.store.get(resource.id, &call.key()).is_some();
    if !exists && part == Part::Object && resource.has(Habit::CreatedByUpdate) {
        let uid = metadata::text(&sent, "uid");
        if !uid.is_empty() {
            let why = write::wrong_uid(resource, &call.key(), uid, "");
            return Err(Failure::conflict(resource, call.name(), &why));
        }
        authorization::check(api, &call.user, &call.attributes.with_verb("create"))?;
        let mut sent = sent;
        metadata::of(&mut sent).shift_remove("resourceVersion");
        return create::create_object(api, call, sent).await;
    }
    let written =
        write::change(api, call, |old| write::finish_tracked(api, call, part, sent.clone(), old))
            .await?;
    Ok(answer(call, written))
}

pub(super) fn part_of(call: &Call) -> Part {
    if call.target.subresource.as_deref() == Some("status") { Part::Status } else { Part::Object }
}

pub(super) fn answer(call: &Call, written: Written) -> Answer {
    match written {
        Written::Stored(object) | Written::Removed(object) => {
            Answer::Object(call.target.resource, StatusCode::OK, object)
        }
        Written::DryRun(value) => Answer::Value(StatusCode::OK, value),
    }
}
