use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_api_types::{ArtifactQuery, LinkQuery};
use flumen_control::Principal;
use flumen_model::Digest;
use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use crate::{
    error::Error,
    extract::{Caller, Path, Query},
    state::Api,
};

/// The next byte of an upload, as in draft-ietf-httpbis-resumable-upload. There is no `Upload-Complete`: the digest says
/// when an artifact is whole.
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// Whether an artifact is here. Of one whose upload broke off, `Upload-Offset` says how many bytes are.
#[utoipa::path(
    head, path = "/api/v1/artifacts/{digest}", tag = "artifacts",
    params(("digest" = String, Path, description = "`sha256:` and 64 hex digits")),
    responses(
        (status = 200, description = "It is here"),
        (
            status = 404, description = "It is not, or not all of it",
            headers(("Upload-Offset" = u64, description = "Where `PATCH` goes on; not there if nothing has arrived"))
        )
    )
)]
pub(crate) async fn exists(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(digest): Path<Digest>,
) -> Result<Response, Error> {
    if let Some(size) = api.control.artifact(&digest).await? {
        return Ok((StatusCode::OK, [(header::CONTENT_LENGTH, size.to_string())], Body::empty())
            .into_response());
    }
    let offset = api.control.uploaded_part(&principal, &digest).await?;
    let mut response = StatusCode::NOT_FOUND.into_response();
    if offset > 0 {
        response.headers_mut().insert(UPLOAD_OFFSET, offset.into());
    }
    Ok(response)
}

/// Takes an artifact in: the bytes of the body, which must have the digest. What has arrived when the body breaks off is
/// kept, as long as what nothing needs.
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
    take(&api, &principal, Upload { digest, name: query.name, offset: 0 }, request).await
}

/// Takes in the rest of an artifact whose upload broke off: the bytes from `Upload-Offset` on, which is the one that `HEAD`
/// tells.
#[utoipa::path(
    patch, path = "/api/v1/artifacts/{digest}", tag = "artifacts",
    params(
        ("digest" = String, Path, description = "`sha256:` and 64 hex digits"), ArtifactQuery,
        ("Upload-Offset" = u64, Header)
    ),
    request_body(content = Vec<u8>, content_type = "application/partial-upload"),
    responses(
        (status = 200, description = "It was here already"), (status = 201, description = "It is whole now"),
        (status = 409, description = "Another number of bytes is here, or it is being sent already")
    )
)]
pub(crate) async fn go_on(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(digest): Path<Digest>,
    Query(query): Query<ArtifactQuery>,
    request: Request,
) -> Result<StatusCode, Error> {
    let allowed = "expected how many bytes are here already, as HEAD tells";
    let offset = number(request.headers(), &UPLOAD_OFFSET);
    let offset = offset.ok_or(Error::Header { name: "Upload-Offset", allowed })?;
    take(&api, &principal, Upload { digest, name: query.name, offset }, request).await
}

/// What is sent of an artifact.
struct Upload {
    digest: Digest,
    name: Option<String>,
    /// How many of its bytes were sent before.
    offset: u64,
}

async fn take(
    api: &Api,
    principal: &Principal,
    Upload { digest, name, offset }: Upload,
    request: Request,
) -> Result<StatusCode, Error> {
    let limit = api.settings.artifact_limit.bytes();
    let announced = number(request.headers(), &header::CONTENT_LENGTH).unwrap_or_default();
    if announced.saturating_add(offset) > limit {
        return Err(Error::TooLarge { what: "the artifact", limit });
    }
    if api.control.artifact(&digest).await?.is_some() {
        api.control.own_artifact(principal, &digest).await?;
        return Ok(StatusCode::OK);
    }
    let body = request.into_body().into_data_stream().boxed();
    let size = api.control.upload_artifact(principal, (&digest, offset), body).await?;
    tracing::info!(%digest, name, size_bytes = size, offset, "an artifact was uploaded");
    Ok(StatusCode::CREATED)
}

/// A header that is a number.
fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
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
