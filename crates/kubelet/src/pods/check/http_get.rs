//! `httpGet` of probes and hooks: a request to a container, over TLS too, that follows it to other places of the same host.
//!
//! <https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes>

mod exchange;

use std::{net::SocketAddr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use k8s_openapi::api::core::v1::HTTPGetAction;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    PROBE, Passed, Purpose,
    beginning::{Beginning, Heard},
    dial_problem, tls,
};
use crate::network::Dialer;
use exchange::{Answer, Question};

/// Most requests that one look takes.
const MOST_REQUESTS: u32 = 10;
const HOOK: &str = "kube-lifecycle/1.33";
const TIMED_OUT: &str =
    "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
/// What the client says about itself and its connection, whatever the pod would have it say.
const OWN: [HeaderName; 5] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TRAILER,
];

/// A request to a container.
pub(super) struct Get<'a> {
    pub(super) action: &'a HTTPGetAction,
    pub(super) purpose: Purpose,
    pub(super) address: SocketAddr,
    pub(super) dial: &'a Dialer,
    /// For all of it, wherever it leads.
    pub(super) longest: Duration,
}

#[derive(Debug)]
enum Problem {
    /// Where TLS was asked for, there is none.
    PlainHttp,
    Status(StatusCode),
    Other(String),
}

/// A problem, and what was asked for then.
type Failure = (Url, Problem);

/// The words of the real kubelet.
fn told((url, problem): Failure) -> String {
    match problem {
        Problem::PlainHttp => {
            format!("Get \"{url}\": http: server gave HTTP response to HTTPS client")
        }
        Problem::Status(status) => {
            format!("HTTP probe failed with statuscode: {}", status.as_u16())
        }
        Problem::Other(problem) => format!("Get \"{url}\": {problem}"),
    }
}

impl Get<'_> {
    pub(super) async fn run(&self) -> Result<Passed, String> {
        let deadline = Instant::now() + self.longest;
        let question = self.question()?;
        match self.follow(question.clone(), deadline).await {
            Ok(passed) => Ok(passed),
            Err((_, Problem::PlainHttp)) if self.purpose == Purpose::Hook => {
                let host = question.url.authority().to_owned();
                self.follow(question.without_tls()?, deadline).await.map_err(told)?;
                Ok(Passed::WithoutTls(format!(
                    "request to HTTPS lifecycle hook {host} got HTTP response, retry with HTTP succeeded"
                )))
            }
            Err(failure) => Err(told(failure)),
        }
    }

    fn question(&self) -> Result<Question, String> {
        let scheme = self.action.scheme.as_deref().unwrap_or_default();
        let scheme = if scheme.eq_ignore_ascii_case("https") { "https" } else { "http" };
        let path = self.action.path.as_deref().unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        let text = format!("{scheme}://{}{slash}{path}", self.address);
        let url = Url::parse(&text).map_err(|error| format!("parse {text:?}: {error}"))?;
        let (headers, host) = self.headers()?;
        Ok(Question { url, host, headers })
    }

    fn headers(&self) -> Result<(HeaderMap, Option<HeaderValue>), String> {
        let mut headers = HeaderMap::new();
        for given in self.action.http_headers.iter().flatten() {
            let name = HeaderName::from_bytes(given.name.as_bytes())
                .map_err(|_| format!("net/http: invalid header field name {:?}", given.name))?;
            let value = HeaderValue::from_str(given.value.trim()).map_err(|_| {
                format!("net/http: invalid header field value for {:?}", given.name)
            })?;
            headers.append(name, value);
        }
        let host = headers.get(header::HOST).filter(|host| !host.is_empty()).cloned();
        for name in OWN {
            headers.remove(name);
        }
        let agent = if self.purpose == Purpose::Hook { HOOK } else { PROBE };
        for (name, usual) in [(header::USER_AGENT, agent), (header::ACCEPT, "*/*")] {
            // One that is given without a value is not sent at all.
            match headers.get(&name).map(HeaderValue::is_empty) {
                Some(true) => drop(headers.remove(name)),
                Some(false) => {}
                None => drop(headers.insert(name, HeaderValue::from_static(usual))),
            }
        }
        Ok((headers, host))
    }

    async fn follow(&self, mut question: Question, deadline: Instant) -> Result<Passed, Failure> {
        for _ in 0..MOST_REQUESTS {
            let answer = timeout_at(deadline, self.ask(&question))
                .await
                .unwrap_or_else(|_| Err(Problem::Other(TIMED_OUT.to_owned())));
            let answer = match answer {
                Ok(answer) => answer,
                Err(problem) => return Err((question.url, problem)),
            };
            match answer.next(&question.url) {
                Ok(Some(next)) if next.host() == question.url.host() => {
                    question.go(next, &answer);
                }
                Ok(_) => return self.judge(&answer).map_err(|problem| (question.url, problem)),
                Err(problem) => return Err((question.url, Problem::Other(problem))),
            }
        }
        let problem = format!("stopped after {MOST_REQUESTS} redirects");
        Err((question.url, Problem::Other(problem)))
    }

    fn judge(&self, answer: &Answer) -> Result<Passed, Problem> {
        if self.purpose == Purpose::Hook || answer.status.is_success() {
            Ok(Passed::Plainly)
        } else if answer.status.is_redirection() {
            let body = String::from_utf8_lossy(&answer.body);
            Ok(Passed::Redirected(format!("Probe terminated redirects, Response body: {body}")))
        } else {
            Err(Problem::Status(answer.status))
        }
    }

    async fn ask(&self, question: &Question) -> Result<Answer, Problem> {
        let with_tls = match question.url.scheme() {
            "http" => false,
            "https" => true,
            other => {
                return Err(Problem::Other(format!("unsupported protocol scheme {other:?}")));
            }
        };
        let port = question.url.port_or_known_default().unwrap_or_default();
        let address = SocketAddr::new(self.address.ip(), port);
        let connected = (self.dial)(address).await;
        let connection =
            connected.map_err(|error| Problem::Other(dial_problem(address, &error)))?;
        let heard = Heard { connection, beginning: Beginning::default() };
        if !with_tls {
            return question.ask(heard).await.map_err(Problem::Other);
        }
        let encrypted = match tls::open(address.ip(), heard).await {
            Ok(encrypted) => encrypted,
            Err(tls::Refusal::PlainHttp) => return Err(Problem::PlainHttp),
            Err(tls::Refusal::Failed(problem)) => return Err(Problem::Other(problem)),
        };
        let answer = if tls::has_http2(&encrypted) {
            question.ask_by_http2(encrypted).await
        } else {
            question.ask(encrypted).await
        };
        answer.map_err(Problem::Other)
    }
}

#[cfg(test)]
mod tests;
