use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::{Answer, CONTENT_DIGEST};
use crate::{
    digest::Digest,
    refusal::{Refusal, header_value},
    storage::Storage,
};

const PIECE: usize = 256 * 1024;

pub(super) async fn read(
    storage: &Storage,
    repository: &str,
    digest: &Digest,
    method: &Method,
    asked: &HeaderMap,
) -> Answer {
    let (mut file, size) = storage
        .open_blob(repository, digest)
        .await?
        .ok_or_else(|| Refusal::blob_unknown(digest))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ETAG, header_value(format!("\"{digest}\"")));
    headers.insert(CONTENT_DIGEST, header_value(digest.to_string()));
    let asked = asked.get(header::RANGE).and_then(|value| value.to_str().ok());
    let (status, start, length) = match asked.map_or(Range::Whole, |text| Range::parse(text, size))
    {
        Range::Whole => (StatusCode::OK, 0, size),
        Range::Part { start, end } => {
            headers
                .insert(header::CONTENT_RANGE, header_value(format!("bytes {start}-{end}/{size}")));
            (StatusCode::PARTIAL_CONTENT, start, end - start + 1)
        }
        Range::Outside => return Err(Refusal::range_invalid(size)),
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if *method == Method::HEAD {
        return Ok((status, headers).into_response());
    }
    if start > 0 {
        file.seek(std::io::SeekFrom::Start(start)).await?;
    }
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(length), PIECE));
    Ok((status, headers, body).into_response())
}

pub(super) async fn delete(storage: &Storage, repository: &str, digest: &Digest) -> Answer {
    if storage.unlink_blob(repository, digest).await? {
        Ok(accepted())
    } else {
        Err(Refusal::blob_unknown(digest))
    }
}

pub(super) fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}

/// What part of a blob was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// All of it; also what HTTP lets us answer to a request for several parts.
    Whole,
    Part {
        start: u64,
        end: u64,
    },
    Outside,
}

impl Range {
    fn parse(header: &str, size: u64) -> Self {
        let Some((first, last)) =
            header.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
        else {
            return Self::Whole;
        };
        let (start, end) = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
            (Ok(start), Ok(end)) if start <= end => (start, end),
            (Ok(start), _) if last.trim().is_empty() => (start, u64::MAX),
            (_, Ok(0)) if first.trim().is_empty() => return Self::Outside,
            (_, Ok(suffix)) if first.trim().is_empty() => (size.saturating_sub(suffix), u64::MAX),
            _ => return Self::Whole,
        };
        if start >= size { Self::Outside } else { Self::Part { start, end: end.min(size - 1) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_blob() {
        let part = |start, end| Range::Part { start, end };
        for (header, expected) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-100", part(2, 9)),
            ("bytes=4-", part(4, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=5-2", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("lines=0-1", Range::Whole),
        ] {
            assert_eq!(Range::parse(header, 10), expected, "{header}");
        }
        assert_eq!(Range::parse("bytes=0-0", 0), Range::Outside);
    }
}
