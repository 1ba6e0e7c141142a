//! `grpc` of probes: the health check that gRPC defines, without TLS.
//!
//! <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>

mod health;

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::{
    PROBE, Passed,
    beginning::{Beginning, Heard},
    dial_problem,
};
use crate::{error::chain, network::Dialer};
use health::Status;

const METHOD: &str = "grpc.health.v1.Health/Check";
const GRPC: &str = "application/grpc";
/// Codes of results that have words of their own.
const OK: i64 = 0;
const DEADLINE_EXCEEDED: i64 = 4;
const UNIMPLEMENTED: i64 = 12;
const INTERNAL: i64 = 13;
const UNAVAILABLE: i64 = 14;
/// Every code's name, in their order.
const CODES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];
/// Longest answer; a real one has seven bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// How long a server that does not take a connection is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// One look at a container.
pub(super) struct Call<'a> {
    pub(super) address: SocketAddr,
    /// All of the server if it is empty.
    pub(super) service: &'a str,
    pub(super) dial: &'a Dialer,
    pub(super) longest: Duration,
}

/// A result that is no answer.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    code: i64,
    message: String,
}

impl Refusal {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl Call<'_> {
    /// Fails with the words of the real kubelet. As its client does, this one knocks again until the time is over.
    pub(super) async fn run(&self) -> Result<Passed, String> {
        let deadline = Instant::now() + self.longest;
        loop {
            let beginning = Beginning::default();
            let result = timeout_at(deadline, self.ask(beginning.clone())).await;
            match result {
                Ok(result) if beginning.is_http2() => return self.judge(result),
                Err(_) if beginning.is_http2() => return Err(self.too_slow()),
                Ok(_) if timeout_at(deadline, sleep(PAUSE)).await.is_ok() => {}
                _ => {
                    return Err(format!(
                        "timeout: failed to connect service \"{}\" within {:?}: context deadline exceeded",
                        self.address, self.longest
                    ));
                }
            }
        }
    }

    fn too_slow(&self) -> String {
        format!("timeout: health rpc did not complete within {:?}", self.longest)
    }

    fn judge(&self, result: Result<Status, Refusal>) -> Result<Passed, String> {
        match result {
            Ok(Status::SERVING) => Ok(Passed::Plainly),
            Ok(status) => Err(format!("service unhealthy (responded with \"{status}\")")),
            Err(Refusal { code: DEADLINE_EXCEEDED, .. }) => Err(self.too_slow()),
            Err(Refusal { code: UNIMPLEMENTED, message }) => Err(format!(
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {message}"
            )),
            Err(Refusal { code, message }) => {
                let name = usize::try_from(code).ok().and_then(|code| CODES.get(code));
                let name = name.map_or_else(|| format!("Code({code})"), ToString::to_string);
                Err(format!(
                    "error: health rpc probe failed: rpc error: code = {name} desc = {message}"
                ))
            }
        }
    }

    async fn ask(&self, beginning: Beginning) -> Result<Status, Refusal> {
        let unavailable = |problem: String| Refusal::new(UNAVAILABLE, problem);
        let failed = |error: hyper::Error| unavailable(chain(&error));
        let connection = (self.dial)(self.address)
            .await
            .map_err(|error| unavailable(dial_problem(self.address, &error)))?;
        let stream = TokioIo::new(Heard { connection, beginning });
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), stream).await.map_err(failed)?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let request = Request::post(format!("http://{}/{METHOD}", self.address))
            .header(header::CONTENT_TYPE, GRPC)
            .header(header::TE, "trailers")
            .header(header::USER_AGENT, PROBE)
            .body(Full::new(health::request(self.service)))
            .map_err(|error| Refusal::new(INTERNAL, error.to_string()))?;
        let (head, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
        check_head(head.status, &head.headers)?;
        let (message, trailers) = read(body).await?;
        // An answer that has no message may tell its result at once.
        let result = trailers.as_ref().and_then(result).or_else(|| result(&head.headers));
        let missing = "server closed the stream without sending trailers";
        match result.unwrap_or_else(|| Refusal::new(INTERNAL, missing)) {
            Refusal { code: OK, .. } => health::read(&message)
                .ok_or_else(|| Refusal::new(INTERNAL, "grpc: the answer cannot be read")),
            refusal => Err(refusal),
        }
    }
}

async fn read(body: Incoming) -> Result<(Bytes, Option<HeaderMap>), Refusal> {
    let collected = Limited::new(body, LONGEST_BODY).collect().await;
    let collected = collected.map_err(|error| Refusal::new(UNAVAILABLE, chain(error.as_ref())))?;
    let trailers = collected.trailers().cloned();
    Ok((collected.to_bytes(), trailers))
}

/// The result that a server tells after its answer.
fn result(headers: &HeaderMap) -> Option<Refusal> {
    let code = headers.get("grpc-status")?.to_str().ok().and_then(|code| code.parse().ok());
    let message = headers.get("grpc-message").map(HeaderValue::as_bytes).unwrap_or_default();
    let message = percent_encoding::percent_decode(message).decode_utf8_lossy();
    Some(match code {
        Some(code) => Refusal::new(code, message),
        None => Refusal::new(INTERNAL, "transport: malformed grpc-status"),
    })
}

/// Refuses what another kind of server answers.
fn check_head(status: StatusCode, headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let kind = kind.map(String::from_utf8_lossy);
    let rest = kind.as_deref().and_then(|kind| kind.strip_prefix(GRPC));
    let kind_problem = match (rest, &kind) {
        (Some(rest), _) if rest.is_empty() || rest.starts_with(['+', ';']) => None,
        (_, Some(kind)) => Some(format!("transport: received unexpected content-type {kind:?}")),
        (_, None) => Some("malformed header: missing HTTP content-type".to_owned()),
    };
    let status_problem = (status != StatusCode::OK).then(|| {
        let name = status.canonical_reason().unwrap_or_default();
        let code = status.as_u16();
        format!("unexpected HTTP status code received from server: {code} ({name})")
    });
    let problems: Vec<_> = status_problem.into_iter().chain(kind_problem).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let code = match status.as_u16() {
        400 => INTERNAL,
        401 => 16,
        403 => 7,
        404 => UNIMPLEMENTED,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => 2,
    };
    Err(Refusal::new(code, problems.join("; ")))
}

#[cfg(test)]
mod tests;
