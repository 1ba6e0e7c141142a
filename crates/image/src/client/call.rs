use std::{ops::Range, path::PathBuf};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::{Error, progress::Attempt};

/// What a call may do, in the words that token servers understand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Scope(Vec<String>);

impl Scope {
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn pull(repository: &str) -> Self {
        Self(vec![format!("repository:{repository}:pull")])
    }

    pub(crate) fn push(repository: &str) -> Self {
        Self(vec![format!("repository:{repository}:pull,push")])
    }

    pub(crate) fn delete(repository: &str) -> Self {
        Self(vec![format!("repository:{repository}:pull,push,delete")])
    }

    /// Pushing to one repository and reading another. Without the second a registry answers a mount with 401.
    pub(crate) fn mount(repository: &str, from: &str) -> Self {
        let mut scopes = Self::push(repository).0;
        scopes.extend(Self::pull(from).0);
        Self(scopes)
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }
}

/// One request, in a form that can be sent again.
pub(crate) struct Call<'a> {
    pub(crate) registry: &'a str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// What it is for, as in "registry x refused to …".
    pub(crate) step: String,
    pub(crate) scope: Scope,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body<'a>,
    /// Whether it may be sent again when nobody knows what became of it.
    pub(crate) repeatable: bool,
}

/// What is sent with a request.
pub(crate) enum Body<'a> {
    Empty,
    Bytes(Bytes),
    /// A part of a file, streamed.
    File {
        path: PathBuf,
        range: Range<u64>,
        attempt: Attempt,
    },
    /// A stream of known length, opened anew each time that it is sent.
    Stream {
        open: Open<'a>,
        length: u64,
    },
}

pub(crate) type Open<'a> =
    Box<dyn Fn() -> BoxFuture<'a, Result<reqwest::Body, Error>> + Send + Sync + 'a>;

impl<'a> Call<'a> {
    /// A call that changes nothing when it is repeated.
    pub(crate) fn new(
        registry: &'a str,
        method: Method,
        url: Url,
        step: String,
        scope: Scope,
    ) -> Self {
        Self {
            registry,
            method,
            url,
            step,
            scope,
            headers: HeaderMap::new(),
            body: Body::Empty,
            repeatable: true,
        }
    }

    pub(crate) fn get(registry: &'a str, url: Url, step: String, scope: Scope) -> Self {
        Self::new(registry, Method::GET, url, step, scope)
    }

    pub(crate) fn head(registry: &'a str, url: Url, step: String, scope: Scope) -> Self {
        Self::new(registry, Method::HEAD, url, step, scope)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn body(mut self, body: Body<'a>) -> Self {
        self.body = body;
        self
    }

    /// Sent at most once, unless the registry puts it off.
    pub(crate) fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }
}
