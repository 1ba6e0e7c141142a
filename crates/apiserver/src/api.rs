//! The API: takes a request of a known user and answers it.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    Settings,
    allocation::Allocation,
    failure::Failure,
    request::{self, Accept, Call, Query, Route},
    resources::{Registry, Resource},
    security::{User, authority::Authority, tokens::Tokens},
    storage::{Entry, Object, Store},
    verbs,
};

/// Everything that answering requests needs.
pub(crate) struct Api {
    pub(crate) store: Arc<Store>,
    pub(crate) registry: &'static Registry,
    pub(crate) settings: Settings,
    pub(crate) allocation: Allocation,
    pub(crate) authority: Authority,
    pub(crate) tokens: Tokens,
    pub(crate) stop: CancellationToken,
}

/// What a verb has to say.
pub(crate) enum Answer {
    /// A stored object.
    Object(&'static Resource, StatusCode, Arc<Object>),
    /// Something that is not stored, or not yet.
    Value(StatusCode, Value),
    List(List),
    /// An answer that is no object, such as a stream.
    Response(Response<Body>),
}

/// The result of a list.
pub(crate) struct List {
    pub(crate) resource: &'static Resource,
    pub(crate) entries: Vec<Entry>,
    pub(crate) revision: u64,
    pub(crate) next: String,
    pub(crate) remaining: Option<usize>,
}

impl Api {
    /// Answers a request; `user` is absent if the client did not prove who it is.
    pub(crate) async fn answer(self: Arc<Self>, user: Option<User>, request: Request<Body>) -> Response<Body> {
        match self.route(user, request).await {
            Ok(response) => response,
            Err(failure) => render_failure(&failure),
        }
    }

    async fn route(self: Arc<Self>, user: Option<User>, request: Request<Body>) -> Result<Response<Body>, Failure> {
        let route = request::parse_path(request.uri().path(), self.registry);
        if matches!(route, Route::Health) {
            return Ok(self.health());
        }
        let user = user.ok_or_else(Failure::unauthorized)?;
        let accept = Accept::parse(request.headers());
        match route {
            Route::Objects(target) => {
                let (parts, body) = request.into_parts();
                let query = Query::parse(parts.uri.query());
                let call = Call { method: parts.method.clone(), target, query, headers: parts.headers.clone(), user };
                let answer = verbs::run(&self, &call, Request::from_parts(parts, body)).await?;
                if let Answer::Response(response) = answer {
                    return Ok(response);
                }
                Ok(render(answer, accept?))
            }
            _ => Err(Failure::no_such_path()),
        }
    }

    fn health(&self) -> Response<Body> {
        if self.store.healthy() {
            text(StatusCode::OK, "ok")
        } else {
            text(StatusCode::INTERNAL_SERVER_ERROR, "[-]storage failed: the disk refused a write")
        }
    }
}

pub(crate) fn text(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

pub(crate) fn render_failure(failure: &Failure) -> Response<Body> {
    if failure.plain {
        return text(failure.code, failure.message.clone());
    }
    json(failure.code, failure.status().to_string())
}

fn render(answer: Answer, accept: Accept) -> Response<Body> {
    let _ = accept;
    match answer {
        Answer::Response(response) => response,
        Answer::Value(status, value) => json(status, value.to_string()),
        Answer::Object(_, status, object) => json(status, object.json.clone()),
        Answer::List(list) => json(StatusCode::OK, render_list(&list)),
    }
}

fn render_list(list: &List) -> Vec<u8> {
    let size: usize = list.entries.iter().map(|(_, object)| object.json.len() + 1).sum();
    let mut body = Vec::with_capacity(size + 200);
    let metadata = list_metadata(list);
    let kind = list.resource.kind;
    let version = list.resource.api_version();
    body.extend_from_slice(
        format!("{{\"kind\":\"{kind}List\",\"apiVersion\":\"{version}\",\"metadata\":{metadata},\"items\":[").as_bytes(),
    );
    for (position, (_, object)) in list.entries.iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        body.push(b'{');
        body.extend_from_slice(object.item());
    }
    body.extend_from_slice(b"]}\n");
    body
}

fn list_metadata(list: &List) -> Value {
    let mut metadata = serde_json::Map::new();
    metadata.insert("resourceVersion".into(), list.revision.to_string().into());
    if !list.next.is_empty() {
        metadata.insert("continue".into(), list.next.as_str().into());
    }
    if let Some(remaining) = list.remaining {
        metadata.insert("remainingItemCount".into(), remaining.into());
    }
    Value::Object(metadata)
}
