//! The verbs of the API, the same for every kind.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request};

use crate::{
    api::{Answer, Api},
    failure::Failure,
    request::{Call, options},
    resources::Habit,
};

pub(crate) mod body;
mod create;
mod delete;
mod list;
mod metadata;
mod patch;
mod subresources;
mod update;
mod watch;
mod write;

/// Does what a request for objects asks.
pub(crate) async fn run(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let verb = verb_of(call).ok_or_else(Failure::method_not_allowed)?;
    options::check(call, verb)?;
    if call.target.subresource.is_some() {
        return subresources::run(api, call, request).await;
    }
    match verb {
        "get" => get(api, call),
        "list" => list::list(api, call),
        "watch" => watch::watch(api, call, request),
        "create" => create::create(api, call, request).await,
        "update" => update::update(api, call, request).await,
        "patch" => patch::patch(api, call, request).await,
        "delete" => delete::delete(api, call, request).await,
        "deletecollection" => delete::delete_collection(api, call, request).await,
        _ => Err(Failure::method_not_allowed()),
    }
}

/// What is done, in the words of [`Attributes`](crate::request::Attributes); `None` where the method means nothing.
fn verb_of(call: &Call) -> Option<&'static str> {
    let target = &call.target;
    let named = target.name.is_some();
    let collection_in_namespace = target.namespace.is_some() || !target.resource.namespaced;
    match call.method {
        Method::GET | Method::HEAD if target.watched => Some("watch"),
        _ if target.watched => None,
        Method::GET | Method::HEAD if named => Some("get"),
        Method::GET | Method::HEAD if call.query.flag("watch") => Some("watch"),
        Method::GET | Method::HEAD => Some("list"),
        Method::POST if named && target.subresource.is_some() => Some("create"),
        Method::POST if !named && collection_in_namespace => Some("create"),
        Method::PUT if named => Some("update"),
        Method::PATCH if named => Some("patch"),
        Method::DELETE if named => Some("delete"),
        Method::DELETE if target.resource.has(Habit::DeletedOneByOne) => None,
        Method::DELETE if collection_in_namespace => Some("deletecollection"),
        // Only a proxy passes other methods on.
        _ if target.subresource.as_deref() == Some("proxy") => Some("get"),
        _ => None,
    }
}

fn get(api: &Api, call: &Call) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    if let Some(revision) = call.query.text("resourceVersion") {
        list::parse_revision(revision)
            .map_err(|problem| Failure::unknown(format!("resourceVersion: {problem}")))?;
    }
    let object = api.store.get(resource.id, &call.key());
    let object = object.ok_or_else(|| Failure::not_found(resource, call.name()))?;
    Ok(Answer::Object(resource, http::StatusCode::OK, object))
}
