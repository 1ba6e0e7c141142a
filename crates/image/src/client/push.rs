//! Blobs going out. A blob that is there is not sent; one that another repository of the registry has is mounted.

use std::{ops::Range, path::Path};

use bytes::Bytes;
use flumen_model::{Digest, Kind};
use futures::StreamExt;
use http::{HeaderValue, Method, StatusCode, header};
use oci_spec::image::Descriptor;
use url::Url;

use super::{
    Client,
    call::{Body, Call, Scope},
    transport::understand,
};
use crate::{Error, Layer, Progress, Reference};

/// Where a blob comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    File(&'a Path),
    Bytes(&'a Bytes),
    /// A repository that has it, and its descriptor there.
    Repository(&'a Reference, &'a Descriptor),
}

/// A blob that a repository is to have.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) size: u64,
    pub(crate) source: Source<'a>,
}

enum Started {
    Mounted,
    At(Url),
}

impl Client {
    /// Whether the repository has the blob.
    ///
    /// # Errors
    /// `Denied` if we may not read it, `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn has_blob(&self, repository: &Reference, digest: &Digest) -> Result<bool, Error> {
        let path = format!("{}/blobs/{digest}", repository.repository());
        let url = self.transport.url(repository.registry(), &path)?;
        let step = format!("look for blob {digest} of {}", repository.repository());
        let call =
            Call::head(repository.registry(), url, step, Scope::push(repository.repository()));
        match self.transport.run(&call).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends a layer to the repository if it does not have it. Says how many bytes were sent.
    ///
    /// # Errors
    /// `Denied` if we may not write, `NotFound` if the layer's file is missing, `Invalid` if it is not what it was,
    /// `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn push_layer(
        &self,
        repository: &Reference,
        layer: &Layer,
        progress: &Progress,
    ) -> Result<u64, Error> {
        let blob =
            Outgoing { digest: &layer.digest, size: layer.size, source: Source::File(&layer.path) };
        self.ensure_blob(repository, blob, progress).await
    }

    /// Makes sure that the repository has the blob, by the cheapest way. Says how many bytes were sent.
    pub(crate) async fn ensure_blob(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
        progress: &Progress,
    ) -> Result<u64, Error> {
        if self.has_blob(target, blob.digest).await? {
            return Ok(0);
        }
        progress.expect(blob.size);
        let retry = self.settings().retry;
        let mut attempt = 1;
        loop {
            // An upload is made of calls that are no good alone, so it is the whole that is tried again.
            match self.try_push(target, blob, progress).await {
                Err(error) if error.kind() == Kind::Unavailable && attempt < retry.attempts => {
                    tracing::debug!(attempt, error = %error, "sending a blob again");
                    tokio::time::sleep(retry.wait_after(attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn try_push(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
        progress: &Progress,
    ) -> Result<u64, Error> {
        let size = blob.size;
        let location = match self.start_upload(target, blob).await? {
            Started::Mounted => {
                progress.advance(size);
                return Ok(0);
            }
            Started::At(location) => location,
        };
        match self.push_whole(target, blob, location, progress).await {
            Err(Error::Refused { status: StatusCode::PAYLOAD_TOO_LARGE, .. }) => {
                self.push_in_pieces(target, blob, progress).await
            }
            result => result,
        }
        .map(|()| size)
    }

    async fn start_upload(&self, target: &Reference, blob: Outgoing<'_>) -> Result<Started, Error> {
        let repository = target.repository();
        let mut url =
            self.transport.url(target.registry(), &format!("{repository}/blobs/uploads/"))?;
        let mut scope = Scope::push(repository);
        if let Source::Repository(from, _) = blob.source
            && from.registry() == target.registry()
        {
            url.query_pairs_mut()
                .append_pair("mount", blob.digest.as_str())
                .append_pair("from", from.repository());
            scope = Scope::mount(repository, from.repository());
        }
        let step = format!("take blob {} for {repository}", blob.digest);
        let call = Call::new(target.registry(), Method::POST, url, step, scope).once();
        let response = self.transport.run(&call).await?;
        if response.status() == StatusCode::CREATED {
            return Ok(Started::Mounted);
        }
        // A mount that was not possible has become an ordinary upload.
        self.location(&call, &response).map(Started::At)
    }

    /// Where the registry wants the next part.
    fn location(&self, call: &Call<'_>, response: &reqwest::Response) -> Result<Url, Error> {
        let text = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let text =
            text.ok_or_else(|| understand(call, "it does not say where to send the blob"))?;
        let mut url = call
            .url
            .join(text)
            .map_err(|_| understand(call, format!("{text:?} is no location")))?;
        // Behind a proxy that ends TLS some registries think that they are spoken to by plain HTTP.
        let own = self.transport.url(call.registry, "")?;
        if own.scheme() == "https"
            && url.scheme() == "http"
            && url.host() == own.host()
            && url.port() == own.port()
        {
            url.set_scheme("https")
                .map_err(|()| understand(call, format!("{text:?} is no location")))?;
        }
        Ok(url)
    }

    async fn push_whole(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
        location: Url,
        progress: &Progress,
    ) -> Result<(), Error> {
        let attempt = progress.attempt();
        let size = blob.size;
        let body = match blob.source {
            Source::File(path) => {
                Body::File { path: path.to_owned(), range: 0..size, attempt: attempt.clone() }
            }
            Source::Bytes(bytes) => {
                attempt.advance(bytes.len());
                Body::Bytes(bytes.clone())
            }
            Source::Repository(from, descriptor) => {
                let response = self.transport.run(&self.blob_call(from, descriptor)?).await?;
                let counted = attempt.clone();
                let pieces = response
                    .bytes_stream()
                    .inspect(move |piece| counted.advance(piece.as_ref().map_or(0, Bytes::len)));
                let body = std::sync::Mutex::new(Some(reqwest::Body::wrap_stream(pieces)));
                Body::Stream { body, length: size }
            }
        };
        let call =
            upload_call(target, Method::PUT, with_digest(location, blob.digest), blob.digest)
                .body(body);
        let sent = self.transport.run(&call).await;
        if sent.is_err() {
            attempt.undo();
        }
        sent.map(drop)
    }

    /// For registries, or proxies before them, that limit the size of a request.
    async fn push_in_pieces(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
        progress: &Progress,
    ) -> Result<(), Error> {
        let scratch;
        let source = match blob.source {
            Source::Repository(from, descriptor) => {
                let write_error = |source| Error::WriteFile { path: std::env::temp_dir(), source };
                scratch = tempfile::tempdir().map_err(write_error)?;
                let path = scratch.path().join("blob");
                self.pull_blob_to(from, descriptor, &path).await?;
                Held::File(path)
            }
            Source::File(path) => Held::File(path.to_owned()),
            Source::Bytes(bytes) => Held::Bytes(bytes.clone()),
        };
        let attempt = progress.attempt();
        let pushed = self.push_pieces(target, blob, &source, &attempt).await;
        if pushed.is_err() {
            attempt.undo();
        }
        pushed
    }

    async fn push_pieces(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
        source: &Held,
        attempt: &crate::progress::Attempt,
    ) -> Result<(), Error> {
        let plain = Outgoing { source: Source::Bytes(&Bytes::new()), ..blob };
        let Started::At(mut location) = self.start_upload(target, plain).await? else {
            return Ok(());
        };
        let size = blob.size;
        let mut start = 0;
        while start < size {
            let end = size.min(start + self.settings().chunk_bytes.max(1));
            let range = HeaderValue::from_str(&format!("{start}-{}", end - 1)).ok();
            let mut call = upload_call(target, Method::PATCH, location, blob.digest)
                .body(source.part(start..end));
            call.headers.extend(range.map(|range| (header::CONTENT_RANGE, range)));
            let response = self.transport.run(&call).await?;
            attempt.advance(usize::try_from(end - start).unwrap_or(usize::MAX));
            location = self.location(&call, &response)?;
            start = end;
        }
        let call =
            upload_call(target, Method::PUT, with_digest(location, blob.digest), blob.digest);
        self.transport.run(&call).await.map(drop)
    }
}

/// A blob that can be read from any place.
enum Held {
    File(std::path::PathBuf),
    Bytes(Bytes),
}

impl Held {
    fn part(&self, range: Range<u64>) -> Body {
        match self {
            Self::File(path) => {
                Body::File { path: path.clone(), range, attempt: Progress::silent().attempt() }
            }
            Self::Bytes(bytes) => {
                let index = |position: u64| {
                    usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len())
                };
                Body::Bytes(bytes.slice(index(range.start)..index(range.end)))
            }
        }
    }
}

fn upload_call<'a>(target: &'a Reference, method: Method, url: Url, digest: &Digest) -> Call<'a> {
    let step = format!("take blob {digest} for {}", target.repository());
    Call::new(target.registry(), method, url, step, Scope::push(target.repository()))
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
        .once()
}

fn with_digest(mut location: Url, digest: &Digest) -> Url {
    location.query_pairs_mut().append_pair("digest", digest.as_str());
    location
}
