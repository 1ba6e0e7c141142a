//! One request, and its answer.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header, uri::Authority};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::error::chain;

/// Most of an answer's body that is waited for.
const LONGEST_BODY: usize = 10 * 1024;

/// What is asked of whom.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) url: Url,
    /// Instead of the name in the address.
    pub(super) host: Option<HeaderValue>,
    pub(super) headers: HeaderMap,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    location: Option<String>,
    pub(super) body: Bytes,
}

impl Question {
    /// The same at the same port.
    pub(super) fn without_tls(mut self) -> Result<Self, String> {
        let port = self.url.port_or_known_default();
        let changed = self.url.set_scheme("http").and_then(|()| self.url.set_port(port));
        changed.map_err(|()| format!("{} cannot be asked for without TLS", self.url))?;
        self.headers.remove(header::AUTHORIZATION);
        Ok(self)
    }

    /// Asks elsewhere next time, because an answer says so.
    pub(super) fn go(&mut self, next: Url, answer: &Answer) {
        // A place that is told with its host is asked under that name.
        if answer.location.as_deref().is_some_and(|location| Url::parse(location).is_ok()) {
            self.host = None;
        }
        self.url = next;
    }

    fn authority(&self) -> Result<HeaderValue, String> {
        let own = || HeaderValue::from_str(self.url.authority()).map_err(|error| error.to_string());
        self.host.clone().map_or_else(own, Ok)
    }

    fn path(&self) -> String {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.url.path())
    }

    fn request(&self, uri: Uri) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri;
        request.headers_mut().clone_from(&self.headers);
        request
    }

    pub(super) async fn ask(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Answer, String> {
        let uri = self.path().parse::<Uri>().map_err(|error| error.to_string())?;
        let mut request = self.request(uri);
        request.headers_mut().insert(header::HOST, self.authority()?);
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| problem(&error))?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        Answer::read(sender.send_request(request).await).await
    }

    pub(super) async fn ask_by_http2(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Answer, String> {
        let authority = Authority::try_from(self.authority()?.as_bytes());
        let authority = authority.map_err(|error| error.to_string())?;
        let uri = Uri::builder().scheme("https").authority(authority).path_and_query(self.path());
        let request = self.request(uri.build().map_err(|error| error.to_string())?);
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| problem(&error))?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        Answer::read(sender.send_request(request).await).await
    }
}

impl Answer {
    async fn read(answer: hyper::Result<Response<Incoming>>) -> Result<Self, String> {
        let (head, mut body) = answer.map_err(|error| problem(&error))?.into_parts();
        let mut read = BytesMut::new();
        while read.len() < LONGEST_BODY
            && let Some(frame) = body.frame().await
        {
            if let Ok(piece) = frame.map_err(|error| problem(&error))?.into_data() {
                read.extend_from_slice(&piece);
            }
        }
        read.truncate(LONGEST_BODY);
        let location = head.headers.get(header::LOCATION);
        let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Ok(Self { status: head.status, location, body: read.freeze() })
    }

    /// Where it leads, if it leads anywhere.
    pub(super) fn next(&self, from: &Url) -> Result<Option<Url>, String> {
        let leads = matches!(self.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = self.location.as_deref().filter(|to| leads && !to.is_empty()) else {
            return Ok(None);
        };
        let next = from.join(location);
        next.map(Some)
            .map_err(|error| format!("failed to parse Location header {location:?}: {error}"))
    }
}

fn problem(error: &hyper::Error) -> String {
    if error.is_incomplete_message() { "EOF".to_owned() } else { chain(error) }
}
