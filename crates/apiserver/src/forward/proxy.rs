//! The proxy to services and pods.

use axum::body::Body;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header,
};
use hyper::body::Incoming;

use super::{target, upstream::root_cause};
use crate::{api::Api, failure::Failure, request::Call};

/// Headers that concern one connection and not the request.
const CONNECTION_HEADERS: [HeaderName; 6] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Passes a request on and its answer back, both as streams.
pub(crate) async fn proxy(
    api: &Api,
    call: &Call,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let address = if call.target.resource.plural == "services" {
        target::of_service(api, call.namespace(), call.name())?
    } else {
        target::of_pod(api, call.namespace(), call.name())?
    };
    let original = request.uri().path().to_owned();
    if call.target.rest.is_empty() && matches!(call.method, Method::GET | Method::HEAD) {
        return redirect_to_slash(request.uri());
    }
    let prefix = original.strip_suffix(&call.target.rest).unwrap_or(&original).to_owned();
    let (mut parts, body) = request.into_parts();
    let path = if call.target.rest.is_empty() { "/" } else { &call.target.rest };
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    parts.uri = format!("http://{address}{path}{query}")
        .parse::<Uri>()
        .map_err(|error| Failure::bad_request(format!("the path cannot be passed on: {error}")))?;
    parts.version = Version::HTTP_11;
    remove_connection_headers(&mut parts.headers);
    // The credentials are for this server.
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.remove(header::HOST);
    for (name, value) in [("x-forwarded-proto", "https".to_owned()), ("x-forwarded-uri", original)]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.insert(HeaderName::from_static(name), value);
        }
    }
    let answer = api.upstream.request(Request::from_parts(parts, body)).await.map_err(|error| {
        Failure::unavailable(format!("error trying to reach service: {}", root_cause(&error)))
    })?;
    Ok(answer_back(answer, &prefix, &address.to_string()))
}

fn answer_back(answer: Response<Incoming>, prefix: &str, authority: &str) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    remove_connection_headers(&mut parts.headers);
    parts.version = Version::default();
    if let Some(location) =
        parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok())
    {
        let own = format!("http://{authority}");
        let path = location.strip_prefix(&own).unwrap_or(location);
        if path.starts_with('/')
            && !path.starts_with("//")
            && let Ok(value) = HeaderValue::from_str(&format!("{prefix}{path}"))
        {
            parts.headers.insert(header::LOCATION, value);
        }
    }
    Response::from_parts(parts, Body::new(body))
}

fn remove_connection_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&CONNECTION_HEADERS) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// Pages behind the proxy use relative links, which need the slash.
fn redirect_to_slash(uri: &Uri) -> Result<Response<Body>, Failure> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location =
        HeaderValue::from_str(&format!("{}/{query}", uri.path())).map_err(Failure::internal)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}
