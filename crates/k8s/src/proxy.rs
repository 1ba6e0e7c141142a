//! Requests to a JobManager, through the API server's service proxy. So every job is reachable from
//! wherever the API server is, whatever type of Service it has.

use std::time::Duration;

use bytes::Bytes;
use flumen_model::{ClusterId, Namespace};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::{Cause, Cluster, Error, error::innermost};

/// Belongs to one connection, or to the one who asks: neither is the service's business.
const NOT_PASSED_ON: [HeaderName; 11] = [
    header::HOST,
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::AUTHORIZATION,
    header::COOKIE,
];

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// The namespace.
    pub namespace: Namespace,
    /// The Service.
    pub service: String,
    /// The port's name or number.
    pub port: String,
}

impl ServicePort {
    /// The REST port of a Flink cluster's JobManager.
    pub fn job_manager(namespace: &Namespace, cluster_id: &ClusterId) -> Self {
        Self {
            namespace: namespace.clone(),
            service: format!("{cluster_id}-rest"),
            port: "rest".to_owned(),
        }
    }

    fn path(&self) -> String {
        let escape = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
        format!(
            "/api/v1/namespaces/{}/services/{}:{}/proxy",
            self.namespace,
            escape(&self.service),
            escape(&self.port)
        )
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct ProxyAnswer {
    /// Its status, of the service.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// The body of an answer as it comes.
pub type ProxyBody = BoxStream<'static, Result<Bytes, Error>>;

impl Cluster {
    /// Sends a request to a Service and reads the whole answer. The request's URI is a path and query
    /// relative to the service. It is sent once: nobody here knows what a repetition would do, and who
    /// reads polls anyway.
    ///
    /// # Errors
    /// [`Error::NoEndpoints`] while no pod answers; [`Error::Proxy`] otherwise, not found where there is no
    /// such Service. What the service itself answers, whatever its status, is no error here.
    pub async fn proxy(
        &self,
        to: &ServicePort,
        request: Request<Vec<u8>>,
        limit: Duration,
    ) -> Result<ProxyAnswer, Error> {
        let whole = async {
            let (head, body) = self.begin(to, request).await?.into_parts();
            let body = body.collect_bytes().await.map_err(|error| self.broken(to, &error))?;
            Ok((head, body))
        };
        let (head, body) = tokio::time::timeout(limit, whole)
            .await
            .map_err(|_elapsed| self.proxy_failed(to, Cause::TimedOut(limit)))??;
        if let Some(own) = own_status(head.status, &body) {
            return Err(self.proxy_failed(to, own));
        }
        Ok(ProxyAnswer { status: head.status, headers: passed_on(head.headers), body })
    }

    /// Sends a request to a Service and hands the body on as it comes. The time limit is for the answer to
    /// begin.
    ///
    /// # Errors
    /// As [`Cluster::proxy`].
    pub async fn proxy_streaming(
        &self,
        to: &ServicePort,
        request: Request<Vec<u8>>,
        limit: Duration,
    ) -> Result<Response<ProxyBody>, Error> {
        let timed_out = |_elapsed| self.proxy_failed(to, Cause::TimedOut(limit));
        let begun = tokio::time::timeout(limit, self.begin(to, request)).await;
        let (mut head, body) = begun.map_err(timed_out)??.into_parts();
        head.headers = passed_on(std::mem::take(&mut head.headers));
        if head.status.is_success() || head.status.is_redirection() {
            let (cluster, to) = (self.clone(), to.clone());
            let body = body.into_data_stream();
            let body = body.map_err(move |error| cluster.broken(&to, &error)).boxed();
            return Ok(Response::from_parts(head, body));
        }
        let collected = tokio::time::timeout(limit, body.collect_bytes()).await;
        let body = collected.map_err(timed_out)?.map_err(|error| self.broken(to, &error))?;
        if let Some(own) = own_status(head.status, &body) {
            return Err(self.proxy_failed(to, own));
        }
        let body = futures::stream::once(async move { Ok(body) }).boxed();
        Ok(Response::from_parts(head, body))
    }

    async fn begin(
        &self,
        to: &ServicePort,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Body>, Error> {
        let (mut head, body) = request.into_parts();
        let rest = head.uri.path_and_query().map_or("/", |rest| rest.as_str());
        let slash = if rest.starts_with('/') { "" } else { "/" };
        let target = format!("{}{slash}{rest}", to.path());
        head.uri = target.parse().map_err(|error: http::uri::InvalidUri| {
            self.proxy_failed(to, Cause::Build { problem: error.to_string() })
        })?;
        head.headers = passed_on(head.headers);
        let request = Request::from_parts(head, Body::from(body));
        let answer = self.client.send(request).await;
        answer.map_err(|error| self.proxy_failed(to, self.cause(error)))
    }

    fn broken(&self, to: &ServicePort, error: &kube::Error) -> Error {
        let server = self.way.to_string();
        self.proxy_failed(to, Cause::Unreachable { server, problem: innermost(error) })
    }

    fn proxy_failed(&self, to: &ServicePort, source: Cause) -> Error {
        let service = format!("{}/{}", to.namespace, to.service);
        if is_nobody(&source) {
            Error::NoEndpoints { service, source }
        } else {
            Error::Proxy { service, cluster: self.name.to_string(), source }
        }
    }
}

/// Whether a refusal says that there is no pod behind the Service, or none that listens.
fn is_nobody(cause: &Cause) -> bool {
    const WORDS: [&str; 3] =
        ["no endpoints available", "error trying to reach service", "no service port"];
    match cause {
        Cause::Refused { code: 500..=503, message, .. } => {
            WORDS.iter().any(|words| message.contains(words))
        }
        // The Service is there, and its Endpoints have not been made yet.
        Cause::Refused { code: 404, message, .. } => message.starts_with("endpoints "),
        _ => false,
    }
}

fn passed_on(mut headers: HeaderMap) -> HeaderMap {
    for name in &NOT_PASSED_ON {
        headers.remove(name);
    }
    headers
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    kind: String,
    api_version: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

/// The API server's own refusal, as opposed to an answer of the service behind it.
pub(crate) fn own_status(status: StatusCode, body: &[u8]) -> Option<Cause> {
    if status.is_success() || status.is_redirection() {
        return None;
    }
    let code = status.as_u16();
    match serde_json::from_slice::<Status>(body) {
        Ok(own) if own.kind == "Status" && own.api_version == "v1" => {
            Some(Cause::Refused { code, reason: own.reason, message: own.message })
        }
        // Older API servers say this in plain text.
        _ if body.starts_with(b"error trying to reach service") => Some(status_of(code, body)),
        _ => None,
    }
}

/// A refusal of the API server, in whatever form it comes.
pub(crate) fn status_of(code: u16, body: &[u8]) -> Cause {
    match serde_json::from_slice::<Status>(body) {
        Ok(status) => Cause::Refused { code, reason: status.reason, message: status.message },
        Err(_) => Cause::Refused {
            code,
            reason: String::new(),
            message: String::from_utf8_lossy(body).trim().chars().take(500).collect(),
        },
    }
}
