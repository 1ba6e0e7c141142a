//! What happens to every request and answer: an id, complete problems, one line in the log.

use std::time::Instant;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use uuid::Uuid;

use crate::error::{Error, Failed, problem_response};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id, completes the problem that came of it with that id, and logs it.
pub(crate) async fn boundary(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().simple().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status();
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut response = match failed(&response, &method, &path) {
        None => response,
        Some(mut failed) => {
            let error = failed.chain.as_str();
            if status.is_server_error() {
                tracing::error!(request.id = id, %method, path, status = status.as_u16(), duration_ms, error, "a request failed");
            } else {
                tracing::debug!(request.id = id, %method, path, status = status.as_u16(), duration_ms, error, "a request was refused");
            }
            failed.problem.request_id = Some(id.clone());
            let headers = response.headers().clone();
            let mut complete = problem_response(&failed.problem);
            for name in [header::WWW_AUTHENTICATE, header::ALLOW] {
                if let Some(value) = headers.get(&name) {
                    complete.headers_mut().insert(name, value.clone());
                }
            }
            complete
        }
    };
    tracing::debug!(request.id = id, %method, path, status = status.as_u16(), duration_ms, "a request was answered");
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The failure that an answer is. What axum refuses by itself gets one of ours.
fn failed(response: &Response, method: &axum::http::Method, path: &str) -> Option<Failed> {
    let status = response.status();
    if let Some(failed) = response.extensions().get::<Failed>() {
        return Some(failed.clone());
    }
    let error = match status {
        StatusCode::NOT_FOUND if method != axum::http::Method::HEAD => {
            Error::NoRoute { path: path.to_owned() }
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            Error::Method { method: method.to_string(), path: path.to_owned() }
        }
        StatusCode::INTERNAL_SERVER_ERROR => Error::Panicked,
        _ => return None,
    };
    error.into_response().extensions().get::<Failed>().cloned()
}

/// What happens to every answer of the UI origin.
pub(crate) async fn plain_boundary(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}
