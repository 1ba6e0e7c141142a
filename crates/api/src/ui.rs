//! The origin of Flink's web UI: a listener of its own, so that nothing that Flink serves can reach the
//! API. A code that works once becomes a cookie; the cookie opens one job's JobManager and nothing else.

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing,
};
use flumen_control::Control;

mod allowed;
mod page;

use page::Refusal;

use crate::boundary::plain_boundary;

/// The largest body that the UI sends.
const BODY: usize = 64 * 1024;

#[derive(Clone)]
struct Ui {
    control: Control,
    cookie: String,
}

/// The UI origin. `port` is the listener's: browsers send a cookie to every port of a host, so its name
/// tells the servers of one machine apart.
pub fn router(control: Control, port: u16) -> Router {
    let ui = Ui { control, cookie: format!("flumen_ui_{port}") };
    Router::new()
        .route("/open/{code}", routing::get(open))
        .fallback(proxy)
        .layer(middleware::from_fn(plain_boundary))
        .with_state(ui)
}

async fn open(State(ui): State<Ui>, Path(code): Path<String>) -> Response {
    let Some(session) = ui.control.redeem_ui_code(&code) else {
        return Refusal::UsedCode.into_response();
    };
    let cookie = format!("{}={session}; Path=/; HttpOnly; SameSite=Strict", ui.cookie);
    // A page of this origin leads on: after a redirect from elsewhere a browser holds a strict cookie back.
    let mut response = page::lead_on().into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn proxy(State(ui): State<Ui>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(session) = session(&parts.headers, &ui.cookie) else {
        return Refusal::NoSession.into_response();
    };
    if !allowed::is_allowed(&parts.method, parts.uri.path()) {
        return Refusal::ReadOnly.into_response();
    }
    if parts.method != Method::GET && is_cross_site(&parts.headers) {
        return Refusal::ReadOnly.into_response();
    }
    let Ok(body) = axum::body::to_bytes(body, BODY).await else {
        return Refusal::TooLarge.into_response();
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut passed = http::Request::builder().method(parts.method).uri(path);
    for name in
        [header::ACCEPT, header::CONTENT_TYPE, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE]
    {
        if let Some(value) = parts.headers.get(&name) {
            passed = passed.header(name, value);
        }
    }
    let Ok(passed) = passed.body(body.to_vec()) else { return Refusal::ReadOnly.into_response() };
    match ui.control.ui_request(&session, passed).await {
        Ok(Some(answer)) => pass_back(answer),
        Ok(None) => Refusal::NoSession.into_response(),
        Err(error) => {
            tracing::debug!(error = %error, "the JobManager did not answer the web UI");
            Refusal::Unreachable(error.paragraph()).into_response()
        }
    }
}

/// The session that a request brings.
fn session(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, session)| session.to_owned())
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = HeaderName::from_static("sec-fetch-site");
    headers.get(site).is_some_and(|value| value != "same-origin" && value != "none")
}

/// What of an answer reaches the browser: cookies and the like of what lies behind do not.
const PASSED_BACK: [HeaderName; 7] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CACHE_CONTROL,
    header::LAST_MODIFIED,
    header::ETAG,
    header::EXPIRES,
];

fn pass_back(answer: flumen_control::UiResponse) -> Response {
    let (parts, body) = answer.into_parts();
    let mut response = Response::new(Body::from_stream(body));
    *response.status_mut() = match parts.status {
        // A token of the server's was refused behind the scenes; the browser has none to offer.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => StatusCode::BAD_GATEWAY,
        status => status,
    };
    for name in PASSED_BACK {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let headers =
            |text| HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(text))]);
        assert_eq!(session(&headers("a=b; flumen_ui_1=x; c=d"), "flumen_ui_1"), Some("x".into()));
        assert_eq!(session(&headers("flumen_ui_2=x"), "flumen_ui_1"), None);
    }
}
