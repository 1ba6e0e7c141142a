//! One function per verb and noun; this file only finds the right one.

mod blobs;
mod lists;
mod manifests;
mod uploads;

use std::sync::Arc;

use axum::{
    extract::{Query, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde::de::DeserializeOwned;

use crate::{refusal::Refusal, route::Route, storage::Storage};

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

type Answer = Result<Response, Refusal>;

pub(crate) async fn answer(State(storage): State<Arc<Storage>>, request: Request) -> Response {
    let mut response = dispatch(&storage, request).await.into_response();
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    response
}

async fn dispatch(storage: &Storage, request: Request) -> Answer {
    let path = request.uri().path().replace("%3A", ":").replace("%3a", ":");
    if path == "/v2" {
        return Ok(root());
    }
    let route = Route::parse(path.strip_prefix("/v2/").ok_or_else(Refusal::not_found)?)?;
    let method = request.method().clone();
    let is_read = method == Method::GET || method == Method::HEAD;
    match route {
        Route::Root if is_read => Ok(root()),
        Route::Catalog if is_read => lists::catalog(storage, request.uri()).await,
        Route::Tags { repository } if is_read => {
            lists::tags(storage, &repository, request.uri()).await
        }
        Route::Referrers { repository, subject } if is_read => {
            lists::referrers(storage, &repository, &subject, request.uri()).await
        }
        Route::Blob { repository, digest } if is_read => {
            blobs::read(storage, &repository, &digest, &method, request.headers()).await
        }
        Route::Blob { repository, digest } if method == Method::DELETE => {
            blobs::delete(storage, &repository, &digest).await
        }
        Route::Uploads { repository } if method == Method::POST => {
            uploads::start(storage, &repository, request).await
        }
        Route::Upload { repository, id } if is_read => {
            uploads::status(storage, &repository, id).await
        }
        Route::Upload { repository, id } if method == Method::PATCH => {
            uploads::append(storage, &repository, id, request).await
        }
        Route::Upload { repository, id } if method == Method::PUT => {
            uploads::finish(storage, &repository, id, request).await
        }
        Route::Upload { repository, id } if method == Method::DELETE => {
            uploads::cancel(storage, &repository, id).await
        }
        Route::Manifest { repository, name } if is_read => {
            manifests::read(storage, &repository, &name).await
        }
        Route::Manifest { repository, name } if method == Method::PUT => {
            manifests::store(storage, &repository, name, request).await
        }
        Route::Manifest { repository, name } if method == Method::DELETE => {
            manifests::delete(storage, &repository, &name).await
        }
        _ => Err(Refusal::unsupported(format!("{method} is not possible here"))),
    }
}

fn root() -> Response {
    (StatusCode::OK, [(http::header::CONTENT_TYPE, "application/json")], "{}").into_response()
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    Query::try_from_uri(uri)
        .map(|Query(query)| query)
        .map_err(|error| Refusal::bad_query(error.body_text()))
}
