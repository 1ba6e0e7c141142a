//! Uploads in pieces: for registries, or proxies before them, that limit the size of a request, and for long blobs
//! whose upload broke off. One that breaks off again goes on where the registry says that it stopped.

use std::{ops::Range, path::PathBuf};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;

use super::{
    Client,
    call::{Body, Call, Scope},
    manifest::check_digest,
    push::{Outgoing, Source, Started, may_be_sent_again, upload_call, with_digest},
    transport::understand,
};
use crate::{Error, Progress, Reference, progress::Attempt};

/// How far an upload is.
struct Standing {
    /// Where the next piece goes.
    location: Url,
    /// Bytes that the registry has.
    received: u64,
}

impl Client {
    pub(super) async fn push_in_pieces(
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
        attempt: &Attempt,
    ) -> Result<(), Error> {
        let plain = Outgoing { source: Source::Bytes(&Bytes::new()), ..blob };
        let Started::At { location, smallest_piece } = self.start_upload(target, plain).await?
        else {
            return Ok(());
        };
        let length = self.settings().chunk_bytes.max(smallest_piece).max(1);
        let retry = self.settings().retry;
        let mut standing = Standing { location, received: 0 };
        let mut failures = 0;
        while standing.received < blob.size {
            let start = standing.received;
            let piece = start..blob.size.min(start.saturating_add(length));
            match self.send_piece(target, blob, source.part(piece.clone()), &piece, &standing).await
            {
                Ok(next) => (standing, failures) = (next, 0),
                Err(error) => {
                    failures += 1;
                    if !goes_on(&error) || failures >= retry.attempts {
                        return Err(error);
                    }
                    tracing::debug!(failures, error = %error, "going on with an upload");
                    tokio::time::sleep(retry.wait_after(failures)).await;
                    // A registry that forgot the upload, or cannot say, gets a new one.
                    let asked = self.ask_standing(target, blob, &standing.location).await;
                    standing = asked.map_err(|_| error)?;
                }
            }
            attempt.stands_at(standing.received);
        }
        let end = with_digest(standing.location, blob.digest);
        let call = upload_call(target, Method::PUT, end, blob.digest);
        let response = self.transport.run(&call).await?;
        check_digest(&call, &response, blob.digest)
    }

    async fn send_piece<'a>(
        &self,
        target: &'a Reference,
        blob: Outgoing<'_>,
        body: Body<'a>,
        piece: &Range<u64>,
        standing: &Standing,
    ) -> Result<Standing, Error> {
        let location = standing.location.clone();
        let mut call = upload_call(target, Method::PATCH, location, blob.digest).body(body);
        let range = HeaderValue::from_str(&format!("{}-{}", piece.start, piece.end - 1)).ok();
        call.headers.extend(range.map(|range| (header::CONTENT_RANGE, range)));
        let response = self.transport.run(&call).await?;
        let received = received(response.headers()).unwrap_or(piece.end);
        if received <= piece.start || received > piece.end {
            let Range { start, end } = piece;
            let problem =
                format!("it has {received} bytes after it was sent bytes {start} to {end}");
            return Err(understand(&call, problem));
        }
        Ok(Standing { location: self.location(&call, &response)?, received })
    }

    /// How far the registry says that an upload is.
    async fn ask_standing(
        &self,
        target: &Reference,
        blob: Outgoing<'_>,
        location: &Url,
    ) -> Result<Standing, Error> {
        let repository = target.repository();
        let step = format!("say how much of blob {} it has for {repository}", blob.digest);
        let call = Call::get(target.registry(), location.clone(), step, Scope::push(repository));
        let response = self.transport.run(&call).await?;
        let received = received(response.headers())
            .filter(|received| *received <= blob.size)
            .ok_or_else(|| understand(&call, "its answer does not say it"))?;
        // Some registries give the place anew each time, others only once.
        let location = if response.headers().contains_key(header::LOCATION) {
            self.location(&call, &response)?
        } else {
            location.clone()
        };
        Ok(Standing { location, received })
    }
}

/// Whether an upload may be there still after a piece of it failed so.
fn goes_on(error: &Error) -> bool {
    let is_out_of_order =
        matches!(error, Error::Refused { status: StatusCode::RANGE_NOT_SATISFIABLE, .. });
    is_out_of_order || may_be_sent_again(error)
}

/// The bytes in a `Range: 0-9`, ten of them here. No bytes are `0-0`, as is one byte: what is sent twice then is
/// refused, and the blob sent anew.
fn received(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::RANGE)?.to_str().ok()?;
    let last: u64 = text.trim_start_matches("bytes=").strip_prefix("0-")?.parse().ok()?;
    if last == 0 { Some(0) } else { last.checked_add(1) }
}

/// A blob that can be read from any place.
enum Held {
    File(PathBuf),
    Bytes(Bytes),
}

impl Held {
    fn part<'a>(&self, range: Range<u64>) -> Body<'a> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_has_is_read_from_its_range() {
        let of = |text: &str| {
            received(&HeaderMap::from_iter([(header::RANGE, text.parse().expect("a value"))]))
        };
        assert_eq!([of("0-9"), of("bytes=0-9"), of("0-0")], [Some(10), Some(10), Some(0)]);
        assert_eq!([of("5-9"), of("0-x"), of("0-18446744073709551615")], [None; 3]);
    }
}
