//! Blobs going out. A blob that is there is not sent; one that another repository of the registry has is mounted.

use std::path::Path;

use bytes::Bytes;
use flumen_model::{Digest, Kind};
use futures::{FutureExt, StreamExt};
use http::{HeaderValue, Method, StatusCode, header};
use oci_spec::image::Descriptor;
use url::Url;

use super::{
    Client,
    call::{Body, Call, Open, Scope},
    manifest::check_digest,
    transport::{may_be_better_later, understand},
};
use crate::{Error, Layer, Progress, Reference, progress::Attempt};

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

pub(super) enum Started {
    Mounted,
    At {
        location: Url,
        /// The registry takes no smaller piece, but for the last.
        smallest_piece: u64,
    },
}

const SMALLEST_PIECE: &str = "oci-chunk-min-length";

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
        self.push_blob(target, blob, progress).await
    }

    /// [`Client::ensure_blob`] for a blob that is not there.
    pub(super) async fn push_blob(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
        progress: &Progress,
    ) -> Result<u64, Error> {
        progress.expect(blob.size);
        let retry = self.settings().retry;
        let mut attempt = 1;
        loop {
            let is_long = blob.size > self.settings().chunk_bytes;
            let in_pieces = attempt > 1 && is_long;
            // An upload is made of calls that are no good alone, so it is the whole that is tried again.
            match self.try_push(target, blob, in_pieces, progress).await {
                Err(error)
                    if (may_be_sent_again(&error) || is_gone(&error))
                        && attempt < retry.attempts =>
                {
                    tracing::debug!(attempt, error = %error, "sending a blob again");
                    tokio::time::sleep(retry.wait_after(attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
            // It may be the answer that was lost.
            if self.has_blob(target, blob.digest).await? {
                progress.advance(blob.size);
                return Ok(blob.size);
            }
        }
    }

    async fn try_push(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
        in_pieces: bool,
        progress: &Progress,
    ) -> Result<u64, Error> {
        let size = blob.size;
        if in_pieces {
            return self.push_in_pieces(target, blob, progress).await.map(|()| size);
        }
        let location = match self.start_upload(target, blob).await? {
            Started::Mounted => {
                progress.advance(size);
                return Ok(0);
            }
            Started::At { location, .. } => location,
        };
        match self.push_whole(target, blob, location, progress).await {
            Err(Error::Refused { status: StatusCode::PAYLOAD_TOO_LARGE, .. }) => {
                self.push_in_pieces(target, blob, progress).await
            }
            result => result,
        }
        .map(|()| size)
    }

    pub(super) async fn start_upload(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
    ) -> Result<Started, Error> {
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
        let smallest = response.headers().get(SMALLEST_PIECE).and_then(|text| text.to_str().ok());
        let smallest_piece = smallest.and_then(|text| text.parse().ok()).unwrap_or_default();
        // A mount that was not possible has become an ordinary upload.
        let location = self.location(&call, &response)?;
        Ok(Started::At { location, smallest_piece })
    }

    /// Where the registry wants the next part.
    pub(super) fn location(
        &self,
        call: &Call<'_>,
        response: &reqwest::Response,
    ) -> Result<Url, Error> {
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
                Body::Stream { open: self.blob_stream(from, descriptor, &attempt), length: size }
            }
        };
        let call =
            upload_call(target, Method::PUT, with_digest(location, blob.digest), blob.digest)
                .body(body);
        let sent = self.transport.run(&call).await;
        let taken = match &sent {
            Ok(response) => check_digest(&call, response, blob.digest),
            Err(_) => Ok(()),
        };
        if sent.is_err() {
            attempt.undo();
        }
        sent.and(taken)
    }

    /// A blob of another repository, as a body.
    fn blob_stream<'a>(
        &'a self,
        from: &'a Reference,
        descriptor: &'a Descriptor,
        attempt: &Attempt,
    ) -> Open<'a> {
        let attempt = attempt.clone();
        Box::new(move || {
            let attempt = attempt.clone();
            async move {
                attempt.undo();
                let response = self.transport.run(&self.blob_call(from, descriptor)?).await?;
                let pieces = response
                    .bytes_stream()
                    .inspect(move |piece| attempt.advance(piece.as_ref().map_or(0, Bytes::len)));
                Ok(reqwest::Body::wrap_stream(pieces))
            }
            .boxed()
        })
    }
}

pub(super) fn upload_call<'a>(
    target: &'a Reference,
    method: Method,
    url: Url,
    digest: &Digest,
) -> Call<'a> {
    let step = format!("take blob {digest} for {}", target.repository());
    Call::new(target.registry(), method, url, step, Scope::push(target.repository()))
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
        .once()
}

pub(super) fn with_digest(mut location: Url, digest: &Digest) -> Url {
    location.query_pairs_mut().append_pair("digest", digest.as_str());
    location
}

/// Whether an upload that failed so may be begun anew; what was sent twice is stored once.
pub(super) fn may_be_sent_again(error: &Error) -> bool {
    may_be_better_later(error) || error.kind() == Kind::Timeout
}

/// Whether the registry no longer has the upload. After a line broke, Debian's says first how far it is and then that
/// it is not valid: it goes on to write what it had still to read, and drops an upload that is not where it said.
fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Refused { status: StatusCode::NOT_FOUND, detail, .. }
        if detail.contains("BLOB_UPLOAD_UNKNOWN") || detail.contains("BLOB_UPLOAD_INVALID"))
}
