//! From a request to a connection in another protocol: a WebSocket, or SPDY/3.1.

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, ws::WebSocketUpgrade},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use crate::streams::spdy::Session;

/// Which protocol is spoken over the streams of SPDY.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
const SPDY: &str = "SPDY/3.1";

/// How a client wants to speak.
pub(super) enum Wish {
    WebSocket(Box<WebSocketUpgrade>),
    Spdy(Spdy),
}

/// A connection that is to become SPDY.
pub(super) struct Spdy {
    upgrade: OnUpgrade,
    offered: Vec<String>,
}

/// A refusal as plain text.
pub(super) fn refuse(status: StatusCode, text: impl Into<String>) -> Response {
    (status, text.into()).into_response()
}

fn words(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|word| word.trim().to_owned()).collect()
}

/// What the request asks for; a refusal where it asks for neither.
pub(super) async fn of(request: Request) -> Result<Wish, Box<Response>> {
    let asked = words(request.headers(), &header::UPGRADE);
    let has = |name: &str| asked.iter().any(|word| word.eq_ignore_ascii_case(name));
    if has(SPDY) {
        let offered = words(request.headers(), &STREAM_PROTOCOL);
        return Ok(Wish::Spdy(Spdy { upgrade: hyper::upgrade::on(request), offered }));
    }
    if !has("websocket") {
        return Err(Box::new(refuse(StatusCode::BAD_REQUEST, "Upgrade request required")));
    }
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => Ok(Wish::WebSocket(Box::new(upgrade))),
        Err(rejection) => Err(Box::new(rejection.into_response())),
    }
}

impl Spdy {
    /// Answers that the connection becomes SPDY with `protocol` over it, and goes on with `work` once it has.
    pub(super) fn accept<F>(
        self,
        protocol: &'static str,
        work: impl FnOnce(Session) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if !self.offered.iter().any(|offered| offered == protocol) {
            let text = format!(
                "unable to upgrade: unable to negotiate protocol: client supports {:?}, server accepts [{protocol:?}]",
                self.offered
            );
            return refuse(StatusCode::FORBIDDEN, text);
        }
        tokio::spawn(async move {
            match self.upgrade.await {
                Ok(upgraded) => work(open(upgraded)).await,
                Err(error) => {
                    tracing::debug!(%error, "a client's connection could not be upgraded");
                }
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static(SPDY));
        headers.insert(STREAM_PROTOCOL, HeaderValue::from_static(protocol));
        response
    }
}

fn open(upgraded: Upgraded) -> Session {
    Session::open(TokioIo::new(upgraded))
}
