//! Sends calls: with the token that they need, again when the registry is unavailable and that is harmless, and
//! turns every refusal into an error.

use std::{
    sync::{Mutex, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use flumen_model::{Kind, retry_after};
use futures::StreamExt;
use http::{
    HeaderMap, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH, DATE, RETRY_AFTER},
};
use reqwest::{Response, redirect};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;
use url::Url;

use super::{
    authentication::{Tokens, denied},
    call::{Body, Call},
};
use crate::{Error, Reference, Settings, reference::is_loopback};

const FILE_PIECE: usize = 256 * 1024;
const LONGEST_ERROR_BODY: usize = 64 * 1024;
const MOST_REDIRECTS: usize = 10;

pub(crate) struct Transport {
    settings: Settings,
    certificates: Vec<reqwest::Certificate>,
    proxy: Option<reqwest::Proxy>,
    /// For loopback, past every proxy and without TLS; the other one reads the system's certificates when first used.
    loopback: reqwest::Client,
    outside: OnceLock<reqwest::Client>,
    pub(super) tokens: Mutex<Tokens>,
}

impl Transport {
    pub(super) fn new(settings: Settings) -> Result<Self, Error> {
        let mut certificates = Vec::new();
        for pem in &settings.certificate_authorities {
            let found = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|source| Error::ReadCertificateAuthority { source: Some(source) })?;
            if found.is_empty() {
                return Err(Error::ReadCertificateAuthority { source: None });
            }
            certificates.extend(found);
        }
        let proxy = settings
            .proxy
            .as_ref()
            .map(|proxy| reqwest::Proxy::all(proxy.expose()))
            .transpose()
            // Its address may hold a password.
            .map_err(|source| Error::ReadProxy { source: source.without_url() })?;
        let loopback = builder(&settings)
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(|source| Error::BuildClient { source })?;
        Ok(Self {
            settings,
            certificates,
            proxy,
            loopback,
            outside: OnceLock::new(),
            tokens: Mutex::default(),
        })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The address of `path` below `/v2/` of a registry.
    pub(super) fn url(&self, registry: &str, path: &str) -> Result<Url, Error> {
        let scheme = if self.is_plain(registry) { "http" } else { "https" };
        let text = format!("{scheme}://{}/v2/{path}", Reference::api_host(registry));
        Url::parse(&text).map_err(|_| Error::Understand {
            registry: registry.to_owned(),
            step: "be addressed".to_owned(),
            problem: format!("{text} is no URL"),
        })
    }

    pub(super) fn is_plain(&self, registry: &str) -> bool {
        is_loopback(registry) || self.settings.plain_http.contains(registry)
    }

    /// Sends `call` and returns the answer if it is a success.
    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Response, Error> {
        let mut attempt = 1;
        loop {
            match self.send_with_token(call).await {
                Ok(response) if response.status().is_success() => return Ok(response),
                failed => self.wait_after(call, Failure::of(call, failed).await, attempt).await?,
            }
            attempt += 1;
        }
    }

    /// [`Transport::run`] with the whole of a small body; an answer that breaks off is asked for again.
    pub(super) async fn run_and_read(
        &self,
        call: &Call<'_>,
        longest: usize,
    ) -> Result<(HeaderMap, Bytes), Error> {
        let mut attempt = 1;
        loop {
            let response = self.run(call).await?;
            let headers = response.headers().clone();
            match read_body(call, response, longest).await {
                Ok(body) => return Ok((headers, body)),
                Err(error) => {
                    self.wait_after(call, Failure { error, asked_wait: None }, attempt).await?;
                }
            }
            attempt += 1;
        }
    }

    /// Waits before the next try, or gives the error back if there is none.
    async fn wait_after(
        &self,
        call: &Call<'_>,
        failure: Failure,
        attempt: u32,
    ) -> Result<(), Error> {
        let retry = self.settings.retry;
        let may_repeat = call.repeatable || failure.was_put_off();
        let Failure { error, asked_wait } = failure;
        if !may_repeat || attempt >= retry.attempts || !may_be_better_later(&error) {
            return Err(error);
        }
        let wait =
            asked_wait.unwrap_or_default().max(retry.wait_after(attempt)).min(retry.longest_wait);
        tracing::debug!(registry = call.registry, attempt, ?wait, error = %error, "trying a registry again");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    async fn send_with_token(&self, call: &Call<'_>) -> Result<Response, Error> {
        // An upload may be sent elsewhere by the registry, and a token is for the registry only.
        let is_registry = self.url(call.registry, "").is_ok_and(|own| {
            (own.scheme(), own.host(), own.port())
                == (call.url.scheme(), call.url.host(), call.url.port())
        });
        if !is_registry {
            return self.send_once(call, None).await;
        }
        let authorization = self.known_authorization(call);
        let response = self.send_once(call, authorization.as_deref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let authorization =
            self.authorize(call, response.headers(), authorization.is_some()).await?;
        let response = self.send_once(call, Some(&authorization)).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let problem = if self.settings.credentials.contains_key(call.registry) {
                "it does not accept the credentials given"
            } else {
                "it does not let anonymous users do this, and no credentials are configured for it"
            };
            return Err(denied(call, problem));
        }
        Ok(response)
    }

    async fn send_once(
        &self,
        call: &Call<'_>,
        authorization: Option<&str>,
    ) -> Result<Response, Error> {
        let mut request = self
            .http(&call.url)?
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request = match &call.body {
            // Some registries refuse a POST or PUT that has no length.
            Body::Empty if matches!(call.method, Method::POST | Method::PUT) => {
                request.header(CONTENT_LENGTH, 0)
            }
            Body::Empty => request,
            Body::Bytes(bytes) => request.body(bytes.clone()),
            Body::File { path, range, attempt } => {
                attempt.undo();
                let read_error = |source| Error::ReadFile { path: path.clone(), source };
                let mut file = tokio::fs::File::open(path).await.map_err(read_error)?;
                file.seek(std::io::SeekFrom::Start(range.start)).await.map_err(read_error)?;
                let length = range.end - range.start;
                let attempt = attempt.clone();
                let stream = ReaderStream::with_capacity(file.take(length), FILE_PIECE)
                    .inspect(move |piece| attempt.advance(piece.as_ref().map_or(0, Bytes::len)));
                request.header(CONTENT_LENGTH, length).body(reqwest::Body::wrap_stream(stream))
            }
            Body::Stream { open, length } => {
                request.header(CONTENT_LENGTH, *length).body(open().await?)
            }
        };
        request.send().await.map_err(|source| reach(call, source))
    }

    /// The HTTP client for an address.
    pub(super) fn http(&self, url: &Url) -> Result<&reqwest::Client, Error> {
        if url.scheme() == "http" && url.host_str().is_some_and(is_loopback) {
            return Ok(&self.loopback);
        }
        if let Some(client) = self.outside.get() {
            return Ok(client);
        }
        let mut builder = builder(&self.settings).tls_certs_merge(self.certificates.clone());
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        let client = builder.build().map_err(|source| Error::BuildClient { source })?;
        Ok(self.outside.get_or_init(|| client))
    }
}

fn builder(settings: &Settings) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("flumen/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .redirect(redirect::Policy::custom(|attempt| {
            let was_tls = attempt.previous().iter().any(|url| url.scheme() == "https");
            if was_tls && attempt.url().scheme() != "https" {
                attempt.error("it redirects from https to http")
            } else if attempt.previous().len() > MOST_REDIRECTS {
                attempt.error("it redirects again and again")
            } else {
                attempt.follow()
            }
        }))
}

/// A try that did not succeed.
struct Failure {
    error: Error,
    /// How long the registry wants us to wait.
    asked_wait: Option<Duration>,
}

impl Failure {
    async fn of(call: &Call<'_>, failed: Result<Response, Error>) -> Self {
        match failed {
            Ok(response) => {
                let asked_wait = asked_wait(response.headers());
                Self { error: refusal(call, response).await, asked_wait }
            }
            Err(error) => Self { error, asked_wait: None },
        }
    }

    /// Whether the registry said that it did nothing for now.
    fn was_put_off(&self) -> bool {
        let is_busy =
            matches!(self.error, Error::Refused { status: StatusCode::TOO_MANY_REQUESTS, .. });
        is_busy || self.asked_wait.is_some()
    }
}

/// Whether the same may succeed a little later. That nothing comes for long is not repeated, so as not to wait for
/// several times as long; that a proxy waited in vain is.
pub(super) fn may_be_better_later(error: &Error) -> bool {
    error.kind() == Kind::Unavailable
        || matches!(error, Error::Refused { .. }) && error.kind() == Kind::Timeout
}

fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    retry_after(text(RETRY_AFTER)?, text(DATE))
}

pub(super) fn reach(call: &Call<'_>, source: reqwest::Error) -> Error {
    // The URL of an upload can hold a signature.
    Error::Reach {
        registry: call.registry.to_owned(),
        step: call.step.clone(),
        source: source.without_url(),
    }
}

pub(super) fn understand(call: &Call<'_>, problem: impl Into<String>) -> Error {
    Error::Understand {
        registry: call.registry.to_owned(),
        step: call.step.clone(),
        problem: problem.into(),
    }
}

async fn refusal(call: &Call<'_>, response: Response) -> Error {
    let status = response.status();
    let body = read_body(call, response, LONGEST_ERROR_BODY).await.unwrap_or_default();
    Error::Refused {
        registry: call.registry.to_owned(),
        step: call.step.clone(),
        status,
        detail: detail(&body),
    }
}

/// The whole body of an answer that is small by its nature.
pub(super) async fn read_body(
    call: &Call<'_>,
    response: Response,
    longest: usize,
) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        body.extend_from_slice(&piece.map_err(|source| reach(call, source))?);
        if body.len() > longest {
            return Err(understand(call, format!("its answer is longer than {longest} bytes")));
        }
    }
    Ok(body.freeze())
}

/// The registry's own words from an error body of the distribution specification.
fn detail(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<Item>,
    }
    #[derive(serde::Deserialize)]
    struct Item {
        code: String,
        #[serde(default)]
        message: String,
    }
    let items = serde_json::from_slice::<Errors>(body).map(|body| body.errors).unwrap_or_default();
    items
        .iter()
        .map(|item| format!(", {} {}", item.code, item.message).trim_end().to_owned())
        .collect()
}
