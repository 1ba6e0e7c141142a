//! Create.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::Value;

use super::{body, metadata, write};
use crate::{
    admission,
    allocation::Reservation,
    api::{Answer, Api},
    failure::Failure,
    managed::{self, Author},
    request::Call,
    resources::Resource,
    security::escalation,
    storage::{Change, CommitError, Object},
};

/// POST to a collection.
pub(super) async fn create(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let object = body::read_object(call, request.into_body()).await?;
    create_object(api, call, object).await
}

/// Makes the object of a request.
pub(super) async fn create_object(
    api: &Api,
    call: &Call,
    object: Value,
) -> Result<Answer, Failure> {
    let manager = call.manager();
    let track = |object: &mut Value| {
        let author = Author { manager: &manager, subresource: "" };
        managed::track_create(call.target.resource, object, &author);
    };
    create_tracked(api, call, object, &track).await
}

/// Makes an object whose managers are noted by a function of the object with its defaults.
pub(super) async fn create_tracked(
    api: &Api,
    call: &Call,
    mut object: Value,
    track: &(dyn Fn(&mut Value) + Sync),
) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    body::check_kind(resource, &mut object)?;
    if !metadata::text(&object, "resourceVersion").is_empty() {
        return Err(Failure::unknown("resourceVersion should not be set on objects to be created"));
    }
    metadata::set_namespace(call, &mut object)?;
    let object = body::normalize(call, object)?;
    // A generated name that is taken is simply generated again.
    let generated = metadata::text(&object, "name").is_empty();
    for _ in 0..8 {
        match store_new(api, call, object.clone(), track).await {
            Err(failure) if generated && failure.reason == "AlreadyExists" => {}
            other => return other,
        }
    }
    let prefix = metadata::text(&object, "generateName");
    Err(Failure::already_exists(resource, prefix))
}

async fn store_new(
    api: &Api,
    call: &Call,
    mut object: Value,
    track: &(dyn Fn(&mut Value) + Sync),
) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    metadata::begin(resource, &mut object);
    resource.rules.default(&mut object);
    // What the server adds from here on is nobody's.
    track(&mut object);
    resource.rules.prepare_create(&mut object);
    let name = metadata::text(&object, "name").to_owned();
    admission::check_namespace(api, resource, call.namespace(), &name)?;
    admission::admit(api, resource, call.namespace(), &mut object)?;
    escalation::check(api, call, &object, None)?;
    let mut causes = metadata::validate(resource, &object);
    causes.extend(resource.rules.validate(&object));
    causes.extend(resource.rules.validate_create(&object));
    if !causes.is_empty() {
        return Err(Failure::invalid(resource, &name, &causes));
    }
    resource.rules.warnings_of_new(&object).into_iter().for_each(|text| call.warnings.add(text));
    let reservation = write::reserve(api, resource, &name, &mut object, None)?;
    let key = resource.key(call.namespace(), &name);
    if call.dry_run() {
        admission::quota::charge(api, resource, (call.namespace(), &name), None, &object)?;
        if api.store.get(resource.id, &key).is_some() {
            return Err(Failure::already_exists(resource, &name));
        }
        return Ok(Answer::Value(StatusCode::CREATED, object));
    }
    let objects = commit(api, call, &name, object, reservation).await?;
    first(objects).map(|object| Answer::Object(resource, StatusCode::CREATED, object))
}

/// Stores a new object, with what comes into being with it and what it takes of quotas: all or nothing.
async fn commit(
    api: &Api,
    call: &Call,
    name: &str,
    mut object: Value,
    mut reservation: Option<Reservation<'_>>,
) -> Result<Vec<Arc<Object>>, Failure> {
    let resource = call.target.resource;
    let key = resource.key(call.namespace(), name);
    loop {
        let taken =
            admission::quota::charge(api, resource, (call.namespace(), name), None, &object)?;
        let is_charged = !taken.is_empty();
        // Only an object that is charged may have to be stored once more.
        let stored = if is_charged { object.clone() } else { std::mem::take(&mut object) };
        let mut changes = vec![Change {
            resource: resource.id,
            key: key.clone(),
            based_on: None,
            object: resource.inward(stored),
            delete: false,
        }];
        changes.extend(admission::companions(api, resource, name));
        changes.extend(taken);
        let made = || {
            if let Some(reservation) = reservation.take() {
                reservation.keep();
            }
        };
        match api.store.commit(changes, made).await {
            // Somebody else took of a quota in the meantime.
            Err(CommitError::Stale) if is_charged && api.store.get(resource.id, &key).is_none() => {
            }
            other => return other.map_err(|error| refused(&error, resource, name)),
        }
    }
}

fn first(objects: Vec<Arc<Object>>) -> Result<Arc<Object>, Failure> {
    objects.into_iter().next().ok_or_else(|| Failure::internal("the store returned nothing"))
}

fn refused(error: &CommitError, resource: &Resource, name: &str) -> Failure {
    match error {
        CommitError::Stale => Failure::already_exists(resource, name),
        _ => Failure::unknown(error.to_string()),
    }
}
