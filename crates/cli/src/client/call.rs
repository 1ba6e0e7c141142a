use std::time::Duration;

use flumen_api_types::Problem;
use flumen_model::Kind;
use reqwest::{
    Body, Method, RequestBuilder, Response, StatusCode,
    header::{self, HeaderMap},
};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;
use uuid::Uuid;

use super::Client;
use crate::Error;

/// How long an answer may take that is not a stream.
const ANSWER: Duration = Duration::from_mins(1);
/// How often a request with an idempotency key is sent, when the connection breaks.
const ATTEMPTS: u32 = 3;

/// One request before it is sent.
pub(crate) struct Call<'a> {
    client: &'a Client,
    action: String,
    request: RequestBuilder,
    repeatable: bool,
    answer: Duration,
}

impl<'a> Call<'a> {
    pub(super) fn new(client: &'a Client, method: Method, action: String, path: &[&str]) -> Self {
        let repeatable = method == Method::GET || method == Method::HEAD;
        let mut request = client.http.request(method, address(&client.server, path));
        if let Some(token) = &client.token {
            request = request.bearer_auth(token.expose());
        }
        Self { client, action, request, repeatable, answer: ANSWER }
    }

    pub(crate) fn query(mut self, query: &impl Serialize) -> Self {
        self.request = self.request.query(query);
        self
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// Lets the server see that a repetition is one, so that a broken connection may be tried again.
    pub(crate) fn idempotent(mut self) -> Self {
        self.request = self.request.header("idempotency-key", Uuid::new_v4().to_string());
        self.repeatable = true;
        self
    }

    /// Waits for the answer so long.
    pub(crate) fn within(mut self, answer: Duration) -> Self {
        self.answer = answer;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends this body, which is `length` bytes long.
    pub(crate) fn body(mut self, body: Body, length: u64) -> Self {
        self.request = self.request.header(header::CONTENT_LENGTH, length).body(body);
        self
    }

    /// Sends the request and reads the answer as JSON.
    pub(crate) async fn fetch<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        self.request = self.request.timeout(self.answer);
        let (action, server) = (self.action.clone(), self.client.server.to_string());
        let response = self.send().await?;
        let bytes = response.bytes().await.map_err(|source| Error::Broken {
            action: action.clone(),
            server: server.clone(),
            source: source.without_url(),
        })?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Answer { action, server, source })
    }

    /// Sends the request; an answer other than success is an error.
    pub(crate) async fn send(self) -> Result<Response, Error> {
        let (action, server) = (self.action.clone(), self.client.server.to_string());
        let response = self.attempt().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response.bytes().await.unwrap_or_default();
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(Error::Refused { action, problem: Box::new(problem) }),
            Err(_) => Err(Error::Foreign { action, server, status: status.as_u16() }),
        }
    }

    /// Sends a request without a body in the answer: the status, which is success or 404, and the headers.
    pub(crate) async fn head(self) -> Result<(StatusCode, HeaderMap), Error> {
        let (action, server) = (self.action.clone(), self.client.server.to_string());
        let response = self.attempt().await?;
        match response.status() {
            status if status.is_success() || status == StatusCode::NOT_FOUND => {
                Ok((status, response.headers().clone()))
            }
            // An answer to HEAD has no body that could say it.
            status @ StatusCode::UNAUTHORIZED => {
                Err(Error::Refused { action, problem: Box::new(no_token(status)) })
            }
            status => Err(Error::Foreign { action, server, status: status.as_u16() }),
        }
    }

    async fn attempt(self) -> Result<Response, Error> {
        let request = self.request;
        for _ in 1..ATTEMPTS {
            let Some(copy) = request.try_clone().filter(|_| self.repeatable) else { break };
            match copy.send().await {
                Err(error) if is_broken(&error) => {}
                Err(error) => return Err(failure(self.action, &self.client.server, error)),
                Ok(response) => return Ok(response),
            }
        }
        request.send().await.map_err(|error| failure(self.action, &self.client.server, error))
    }
}

fn no_token(status: StatusCode) -> Problem {
    Problem {
        type_uri: String::new(),
        title: String::new(),
        status: status.as_u16(),
        code: "request.unauthenticated".to_owned(),
        kind: Kind::Denied,
        detail: Some("the request carries no valid API token".to_owned()),
        causes: Vec::new(),
        hint: None,
        request_id: None,
    }
}

/// Whether the connection stood and then broke. Where nobody listens, trying again at once is idle.
fn is_broken(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}

fn failure(action: String, server: &Url, source: reqwest::Error) -> Error {
    let server = server.to_string();
    let source = source.without_url();
    if source.is_connect() {
        Error::Connect { action, server, source }
    } else if source.is_timeout() {
        Error::Late { action, server, source }
    } else {
        Error::Broken { action, server, source }
    }
}

fn address(server: &Url, path: &[&str]) -> Url {
    let mut url = server.clone();
    // A server's address was checked to have a host, so its path can be changed.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["api", "v1"]).extend(path);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_cannot_become_more_parts() {
        let server = "http://host:1/base/".parse().expect("valid");
        let url = address(&server, &["jobs", "a/b?c"]);
        assert_eq!(url.as_str(), "http://host:1/base/api/v1/jobs/a%2Fb%3Fc");
    }
}
