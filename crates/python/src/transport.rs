//! One answer from an index.

use std::{
    io::{Seek as _, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use flumen_model::Digest;
use reqwest::{header::ACCEPT, redirect::Policy};
use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempPath};
use url::Url;

use crate::Error;

/// How long a connection may take to come about, and how long nothing may come over it.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_mins(1);
/// How often something is tried, with rising pauses, where trying again may help.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MOST_REDIRECTS: usize = 8;
/// What a listing is wanted as, best first.
const LISTING: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// What came over the wire so far.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Wheels that came whole.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Bytes of all that came.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(crate) struct Transport {
    client: reqwest::Client,
    /// The address of the index, for messages.
    pub(crate) index: String,
    pub(crate) progress: Arc<Progress>,
}

/// A small answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    /// Where it came from in the end, which addresses in it are relative to.
    pub(crate) url: Url,
    pub(crate) is_json: bool,
}

impl Transport {
    pub(crate) fn new(index: &Url) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(Policy::custom(|attempt| {
                let was_safe = attempt.previous().iter().any(|url| url.scheme() == "https");
                if attempt.previous().len() > MOST_REDIRECTS {
                    attempt.error("too many redirects")
                } else if was_safe && attempt.url().scheme() != "https" {
                    attempt.error("a redirect from https to http")
                } else {
                    attempt.follow()
                }
            }))
            .user_agent(concat!("flumen/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|source| Error::Connect { source: source.without_url() })?;
        Ok(Self { client, index: index.to_string(), progress: Arc::default() })
    }

    /// All of a small answer; none if the index does not have it. Messages call it `what`.
    pub(crate) async fn get(
        &self,
        what: &str,
        url: &Url,
        limit: u64,
    ) -> Result<Option<Answer>, Error> {
        self.again(|| self.try_get(what, url, limit)).await
    }

    async fn try_get(&self, what: &str, url: &Url, limit: u64) -> Result<Option<Answer>, Error> {
        let Some(mut answer) = self.send(what, url).await? else { return Ok(None) };
        let kind = answer.headers().get(reqwest::header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_json = kind.contains("json");
        let url = answer.url().clone();
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| self.failed(what, error))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > limit {
                return Err(Error::TooManyBytes { what: what.to_owned(), limit });
            }
        }
        self.progress.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(Some(Answer { bytes, url, is_json }))
    }

    /// A file, into one of `directory` whose name ends in `.part`; none if the index does not have it.
    pub(crate) async fn download(
        &self,
        what: &str,
        url: &Url,
        (directory, limit): (&Path, u64),
    ) -> Result<Option<(TempPath, Digest)>, Error> {
        let fetched = self.again(|| self.try_download(what, url, (directory, limit))).await?;
        self.progress.files.fetch_add(1, Ordering::Relaxed);
        Ok(fetched)
    }

    async fn try_download(
        &self,
        what: &str,
        url: &Url,
        (directory, limit): (&Path, u64),
    ) -> Result<Option<(TempPath, Digest)>, Error> {
        let Some(mut answer) = self.send(what, url).await? else { return Ok(None) };
        let part = tempfile::Builder::new().suffix(".part").tempfile_in(directory);
        let mut part: NamedTempFile = part.map_err(Error::file(directory))?;
        let (mut hash, mut written) = (Sha256::new(), 0_u64);
        while let Some(piece) = answer.chunk().await.map_err(|error| self.failed(what, error))? {
            written += piece.len() as u64;
            if written > limit {
                return Err(Error::TooManyBytes { what: what.to_owned(), limit });
            }
            hash.update(&piece);
            part.write_all(&piece).map_err(Error::file(part.path()))?;
            self.progress.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        part.rewind().map_err(Error::file(part.path()))?;
        part.as_file().sync_all().map_err(Error::file(part.path()))?;
        Ok(Some((part.into_temp_path(), Digest::from_sha256(&hash.finalize().into()))))
    }

    async fn send(&self, what: &str, url: &Url) -> Result<Option<reqwest::Response>, Error> {
        let request = self.client.get(url.clone()).header(ACCEPT, format!("{LISTING}, */*;q=0.05"));
        let answer = request.send().await.map_err(|error| self.failed(what, error))?;
        match answer.status().as_u16() {
            200 => Ok(Some(answer)),
            404 | 410 => Ok(None),
            status => {
                let (what, index) = (what.to_owned(), self.index.clone());
                Err(Error::Answer { what, index, status })
            }
        }
    }

    fn failed(&self, what: &str, source: reqwest::Error) -> Error {
        let (what, index) = (what.to_owned(), self.index.clone());
        Error::Fetch { what, index, source: source.without_url() }
    }

    async fn again<T, F: Future<Output = Result<T, Error>>>(
        &self,
        request: impl Fn() -> F,
    ) -> Result<T, Error> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match request().await {
                Err(error) if is_worth_a_try(&error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "asking the index again"
                    );
                    tokio::time::sleep(pause).await;
                    pause *= 3;
                }
                done => return done,
            }
        }
        request().await
    }
}

fn is_worth_a_try(error: &Error) -> bool {
    match error {
        Error::Answer { status, .. } => matches!(status, 408 | 429 | 500..),
        Error::Fetch { source, .. } => !source.is_builder() && !source.is_redirect(),
        _ => false,
    }
}
