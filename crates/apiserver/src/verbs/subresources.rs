//! Parts of objects that have verbs of their own.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request};

use super::{get, patch, update};
use crate::{
    api::{Answer, Api},
    failure::Failure,
    forward,
    request::Call,
};

mod binding;
mod eviction;
mod finalize;
mod scale;
mod token;

/// Does what a request for a part of an object asks.
pub(super) async fn run(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let subresource = call.target.subresource.as_deref().unwrap_or_default();
    match (subresource, &call.method) {
        ("proxy", _) => forward::proxy::proxy(api, call, request).await.map(Answer::Response),
        ("log", &Method::GET) => forward::logs::logs(api, call).await.map(Answer::Response),
        ("exec" | "attach" | "portforward", &Method::GET | &Method::POST) => {
            forward::streams::streams(api, call, request).await.map(Answer::Response)
        }
        ("status" | "ephemeralcontainers", &Method::GET) => get(api, call),
        ("status", &Method::PUT) => update::update(api, call, request).await,
        ("status", &Method::PATCH) => patch::patch(api, call, request).await,
        ("scale", &Method::GET) => scale::get(api, call),
        ("scale", &Method::PUT | &Method::PATCH) => scale::change(api, call, request).await,
        ("binding", &Method::POST) => binding::bind(api, call, request).await,
        ("eviction", &Method::POST) => eviction::evict(api, call, request).await,
        ("finalize", &Method::PUT) => finalize::finalize(api, call, request).await,
        ("token", &Method::POST) => token::issue(api, call, request).await,
        _ => Err(Failure::method_not_allowed()),
    }
}
