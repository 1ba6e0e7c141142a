use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_api_types::{ArtifactQuery, LinkQuery};
use flumen_model::Digest;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use crate::{
    error::Error,
    extract::{Caller, Path, Query},
    state::Api,
};

/// Whether an artifact is here.
#[utoipa::path(
    head, path = "/api/v1/artifacts/{digest}", tag = "artifacts",
    params(("digest" = String, Path, description = "`sha256:` and 64 hex digits")),
    responses((status = 200, description = "It is here"), (status = 404, description = "It is not"))
)]
pub(crate) async fn exists(
    State(api): State<Api>,
    Path(digest): Path<Digest>,
) -> Result<Response, Error> {
    Ok(match api.control.artifact(&digest).await? {
        Some(size) => (StatusCode::OK, [(header::CONTENT_LENGTH, size.to_string())], Body::empty())
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

/// Takes an artifact in: the bytes of the body, which must have the digest.
#[utoipa::path(
    put, path = "/api/v1/artifacts/{digest}", tag = "artifacts",
    params(("digest" = String, Path, description = "`sha256:` and 64 hex digits"), ArtifactQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "It was here already"), (status = 201, description = "It is new"))
)]
pub(crate) async fn upload(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(digest): Path<Digest>,
    Query(query): Query<ArtifactQuery>,
    request: Request,
) -> Result<StatusCode, Error> {
    let limit = api.settings.artifact_limit.bytes();
    let too_large = || Error::TooLarge { what: "the artifact", limit };
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced: Option<u64> = announced.and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|size| size > limit) {
        return Err(too_large());
    }
    if api.control.artifact(&digest).await?.is_some() {
        api.control.own_artifact(&principal, &digest).await?;
        return Ok(StatusCode::OK);
    }
    let body = http_body_util::Limited::new(
        request.into_body(),
        usize::try_from(limit).unwrap_or(usize::MAX),
    );
    let chunks = body.into_data_stream().map_err(|error| error).boxed();
    match api.control.put_artifact(&digest, chunks).await {
        Ok(size) => {
            api.control.own_artifact(&principal, &digest).await?;
            tracing::info!(%digest, name = query.name, size_bytes = size, "an artifact was uploaded");
            Ok(StatusCode::CREATED)
        }
        Err(error) if is_limit(&error) => Err(too_large()),
        Err(error) => Err(error.into()),
    }
}

/// The bytes of an artifact, for who has a signed link to it: pods that fetch the files of their job. A `Range` of the form
/// `bytes=N-` or `bytes=N-M` is answered with that part.
#[utoipa::path(
    get, path = "/api/v1/artifacts/{digest}/content", tag = "artifacts", security(()),
    params(
        ("digest" = String, Path, description = "`sha256:` and 64 hex digits"), LinkQuery,
        ("Range" = Option<String>, Header)
    ),
    responses(
        (status = 200, description = "All of it", content_type = "application/octet-stream"),
        (status = 206, description = "The part", content_type = "application/octet-stream"),
        (status = 403, description = "The link is none, or its time is over"),
        (status = 416, description = "It has no such part")
    )
)]
pub(crate) async fn content(
    State(api): State<Api>,
    Path(digest): Path<Digest>,
    Query(LinkQuery { expires, signature }): Query<LinkQuery>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    api.control.check_link(&digest, expires, &signature)?;
    let opened = api.control.open_artifact(&digest).await?;
    let (mut file, size) =
        opened.ok_or_else(|| Error::NoArtifact { digest: digest.to_string() })?;
    let given = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, first, last) = match given.map_or(Part::All, |range| part(range, size)) {
        Part::All => (StatusCode::OK, 0, size),
        Part::From { first, last } => (StatusCode::PARTIAL_CONTENT, first, last),
        Part::Beyond => return Err(Error::Range { size }),
    };
    if first > 0 {
        file.seek(std::io::SeekFrom::Start(first)).await.map_err(Error::ReadArtifact)?;
    }
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(last - first), CHUNK));
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, octets);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, (last - first).into());
    let range = format!("bytes {first}-{}/{size}", last.saturating_sub(1));
    if let (StatusCode::PARTIAL_CONTENT, Ok(range)) = (status, range.parse()) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    Ok(response)
}

/// How much is read at once.
const CHUNK: usize = 1 << 16;

/// What of a file is asked for.
enum Part {
    All,
    /// From the first byte to before the last.
    From {
        first: u64,
        last: u64,
    },
    /// It has no such part.
    Beyond,
}

/// The part that a `Range` asks for. A range that is not understood counts as not given, as HTTP has it.
fn part(range: &str, size: u64) -> Part {
    let bounds = || {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        let end = if last.is_empty() { size } else { last.parse::<u64>().ok()?.saturating_add(1) };
        Some((first.parse::<u64>().ok()?, end))
    };
    match bounds() {
        Some((first, _)) if first >= size => Part::Beyond,
        Some((first, end)) if end > first => Part::From { first, last: end.min(size) },
        _ => Part::All,
    }
}

fn is_limit(error: &flumen_control::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}
