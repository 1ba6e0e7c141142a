//! The API: takes a request of a known user and answers it.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::body::Body;
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    Settings,
    allocation::Allocation,
    discovery,
    failure::Failure,
    forward::upstream::Upstream,
    lock::DirectoryLock,
    request::{self, Accept, Attributes, Call, Query, Review, Route, Warnings},
    resources::{Registry, Resource},
    security::{
        User, authority::Authority, authorization, impersonation, reviews, roles::Roles,
        tokens::Tokens,
    },
    storage::{Entry, Object, Store},
    verbs,
    view::View,
};

const ENDPOINTS_ARE_OLD: &str =
    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

/// Everything that answering requests needs.
pub(crate) struct Api {
    pub(crate) store: Arc<Store>,
    pub(crate) registry: &'static Registry,
    pub(crate) settings: Settings,
    pub(crate) allocation: Allocation,
    pub(crate) authority: Authority,
    pub(crate) tokens: Tokens,
    pub(crate) roles: Roles,
    pub(crate) upstream: Upstream,
    pub(crate) kubelet_tls: Arc<rustls::ClientConfig>,
    pub(crate) stop: CancellationToken,
    /// Held for as long as anybody can write.
    pub(crate) _lock: DirectoryLock,
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
    pub(crate) fn answer(
        self: Arc<Self>,
        user: Option<User>,
        request: Request<Body>,
    ) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move {
            // A mistake of this program in one request must not end the others on the same connection.
            match AssertUnwindSafe(self.route(user, request)).catch_unwind().await {
                Ok(Ok(response)) => response,
                Ok(Err(failure)) => render_failure(&failure),
                Err(_) => render_failure(&Failure::internal("the request made the server fail")),
            }
        })
    }

    async fn route(
        self: Arc<Self>,
        user: Option<User>,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        let user = user.ok_or_else(Failure::unauthorized)?;
        let user = impersonation::apply(&self, user, request.headers_mut())?;
        let query = Query::parse(request.uri().query());
        let attributes = Attributes::of(request.method(), request.uri().path(), &query);
        authorization::check(&self, &user, &attributes)?;
        match request::parse_path(request.uri().path(), self.registry) {
            Route::Health => Ok(self.health()),
            Route::Objects(target) => {
                let call = Call {
                    method: request.method().clone(),
                    target,
                    query,
                    headers: request.headers().clone(),
                    user,
                    attributes,
                    warnings: Warnings::default(),
                    twice: std::sync::OnceLock::new(),
                };
                Ok(self.objects(call, request).await)
            }
            Route::OldOpenApi => Ok(old_openapi(self.registry, request.headers())),
            Route::Review(review, namespace) => {
                self.review((review, &namespace), &user, request).await
            }
            other => self
                .describe(&other, &request)
                .map(|document| json(StatusCode::OK, document.to_string())),
        }
    }

    async fn objects(self: Arc<Self>, call: Call, request: Request<Body>) -> Response<Body> {
        if call.target.resource.plural == "endpoints" {
            call.warnings.add(ENDPOINTS_ARE_OLD.to_owned());
        }
        let answered = self.answer_call(&call, request).await;
        let mut response = answered.unwrap_or_else(|failure| render_failure(&failure));
        call.warnings.write(response.headers_mut());
        response
    }

    async fn answer_call(
        self: &Arc<Self>,
        call: &Call,
        request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        // What a proxy answers has the form that its target gives it.
        let raw = matches!(
            call.target.subresource.as_deref(),
            Some("proxy" | "log" | "exec" | "attach" | "portforward")
        );
        let accept = if raw { Accept::Json } else { Accept::parse(&call.headers)? };
        let view = View::new(accept, &call.query);
        let answer = verbs::run(self, call, request).await?;
        if matches!(answer, Answer::List(_)) && accept == Accept::Metadata {
            return Err(Failure::view_of_a_list(call.target.resource.kind));
        }
        Ok(match answer {
            Answer::Response(response) => response,
            Answer::Value(status, value) => json(status, value.to_string()),
            Answer::Object(resource, status, object) => {
                json(status, view.object(resource, &object))
            }
            Answer::List(list) => json(StatusCode::OK, view.list(list)),
        })
    }

    async fn review(
        &self,
        review: (&Review, &str),
        user: &User,
        request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        if request.method() != Method::POST {
            return Err(Failure::method_not_allowed());
        }
        let media_type = request::media_type(request.headers()).to_owned();
        let body = verbs::body::read(request.into_body()).await?;
        let asked = verbs::body::decode(&media_type, &body)?.map_err(Failure::bad_request)?;
        let answer = reviews::answer(self, user, review, asked)?;
        Ok(json(StatusCode::CREATED, answer.to_string()))
    }

    /// What the server says about itself.
    fn describe(&self, route: &Route, request: &Request<Body>) -> Result<Value, Failure> {
        if request.method() != Method::GET && !matches!(route, Route::Unknown) {
            return Err(Failure::method_not_allowed());
        }
        let document = match route {
            Route::Version => Some(discovery::version()),
            Route::CoreVersions => {
                let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
                let host =
                    host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
                Some(discovery::core_versions(host.unwrap_or_default()))
            }
            Route::Groups => Some(discovery::groups(self.registry)),
            Route::Group(name) => discovery::group(self.registry, name),
            Route::Resources { group, version } => {
                discovery::resources(self.registry, group, version)
            }
            Route::OpenApi(place) if place.is_empty() => {
                Some(discovery::openapi::index(self.registry))
            }
            Route::OpenApi(place) => discovery::openapi::document(self.registry, place),
            Route::Health
            | Route::OldOpenApi
            | Route::Objects(_)
            | Route::Review(..)
            | Route::Unknown => None,
        };
        document.ok_or_else(|| {
            if discovery::begins_as_a_group(self.registry, request.uri().path()) {
                Failure::no_such_resource()
            } else {
                Failure::no_such_path()
            }
        })
    }

    fn health(&self) -> Response<Body> {
        if self.store.healthy() {
            text(StatusCode::OK, "ok")
        } else {
            text(StatusCode::INTERNAL_SERVER_ERROR, "[-]storage failed: the disk refused a write")
        }
    }
}

fn old_openapi(registry: &'static Registry, headers: &HeaderMap) -> Response<Body> {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let (media_type, body) = discovery::openapi::v2(registry, accept.unwrap_or_default());
    let mut response = json(StatusCode::OK, body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

pub(crate) fn text(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

pub(crate) fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
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
