use axum::{extract::Request, response::IntoResponse};
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use uuid::Uuid;

use super::{Answer, CONTENT_DIGEST, query};
use crate::{
    digest::Digest,
    name,
    refusal::{Refusal, header_value},
    route,
    storage::{Received, Storage, Upload},
};

#[derive(Deserialize)]
struct Start {
    mount: Option<String>,
    from: Option<String>,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Finish {
    digest: Option<String>,
}

/// Starts an upload, or avoids it: by a mount, or by taking the whole blob with this one request.
pub(super) async fn start(storage: &Storage, repository: &str, request: Request) -> Answer {
    let asked: Start = query(request.uri())?;
    if let Some(mount) = &asked.mount {
        let digest = route::digest(mount)?;
        if let Some(from) = asked.from.as_deref().filter(|from| !name::is_repository(from)) {
            return Err(Refusal::name_invalid(from));
        }
        if storage.mount(repository, &digest, asked.from.as_deref()).await? {
            return Ok(created(repository, &digest));
        }
    }
    let id = storage.start_upload(repository).await?;
    match asked.digest {
        Some(digest) => {
            let digest = route::digest(&digest)?;
            receive_and_keep(storage, repository, id, request, &digest).await
        }
        None => Ok((StatusCode::ACCEPTED, progress_headers(repository, id, 0)).into_response()),
    }
}

pub(super) async fn status(storage: &Storage, repository: &str, id: Uuid) -> Answer {
    let upload = storage.upload(repository, id).await.ok_or_else(Refusal::upload_unknown)?;
    Ok((StatusCode::NO_CONTENT, progress_headers(repository, id, upload.received()))
        .into_response())
}

/// Takes the next piece.
pub(super) async fn append(
    storage: &Storage,
    repository: &str,
    id: Uuid,
    request: Request,
) -> Answer {
    let mut upload = storage.upload(repository, id).await.ok_or_else(Refusal::upload_unknown)?;
    receive(storage, repository, id, &mut upload, request).await?;
    let received = upload.received();
    Ok((StatusCode::ACCEPTED, progress_headers(repository, id, received)).into_response())
}

/// Takes the last piece, which may be empty or the whole blob, and keeps the blob.
pub(super) async fn finish(
    storage: &Storage,
    repository: &str,
    id: Uuid,
    request: Request,
) -> Answer {
    let asked: Finish = query(request.uri())?;
    let digest =
        asked.digest.ok_or_else(|| Refusal::digest_invalid("the digest parameter is missing"))?;
    let digest = route::digest(&digest)?;
    receive_and_keep(storage, repository, id, request, &digest).await
}

pub(super) async fn cancel(storage: &Storage, repository: &str, id: Uuid) -> Answer {
    storage.upload(repository, id).await.ok_or_else(Refusal::upload_unknown)?;
    storage.give_up(id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn receive_and_keep(
    storage: &Storage,
    repository: &str,
    id: Uuid,
    request: Request,
    digest: &Digest,
) -> Answer {
    let mut upload = storage.upload(repository, id).await.ok_or_else(Refusal::upload_unknown)?;
    receive(storage, repository, id, &mut upload, request).await?;
    match storage.finish_upload(id, &mut upload, digest).await? {
        Received::Kept => Ok(created(repository, digest)),
        Received::OtherDigest(actual) => {
            Err(Refusal::digest_invalid(format!("the content has digest {actual}, not {digest}")))
        }
    }
}

/// Appends the request's body. An upload whose body broke off can be continued after asking for its status.
async fn receive(
    storage: &Storage,
    repository: &str,
    id: Uuid,
    upload: &mut Upload,
    request: Request,
) -> Result<(), Refusal> {
    if upload.is_torn() {
        storage.give_up(id);
        return Err(Refusal::upload_unknown());
    }
    let range = request.headers().get(header::CONTENT_RANGE);
    if range.is_some_and(|range| first_byte(range) != Some(upload.received())) {
        let refusal = Refusal::upload_out_of_order(upload.received());
        let headers = progress_headers(repository, id, upload.received());
        return Err(headers.into_iter().fold(refusal, |refusal, (name, value)| match name {
            Some(name) => refusal.header(name, value),
            None => refusal,
        }));
    }
    let mut body = request.into_body().into_data_stream();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| Refusal::upload_invalid("the body broke off"))?;
        upload.append(&piece).await?;
    }
    Ok(())
}

/// The start of a `Content-Range: 10-19`, with or without HTTP's `bytes `.
fn first_byte(range: &HeaderValue) -> Option<u64> {
    let text = range.to_str().ok()?;
    text.trim_start_matches("bytes ").split('-').next()?.trim().parse().ok()
}

fn progress_headers(repository: &str, id: Uuid, received: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, header_value(format!("/v2/{repository}/blobs/uploads/{id}")));
    headers.insert(header::RANGE, header_value(format!("0-{}", received.saturating_sub(1))));
    headers.insert("docker-upload-uuid", header_value(id.to_string()));
    headers
}

fn created(repository: &str, digest: &Digest) -> axum::response::Response {
    let headers = [
        (header::LOCATION, header_value(format!("/v2/{repository}/blobs/{digest}"))),
        (CONTENT_DIGEST, header_value(digest.to_string())),
    ];
    (StatusCode::CREATED, headers).into_response()
}
