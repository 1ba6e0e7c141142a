use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_api_types::ArtifactQuery;
use flumen_model::Digest;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;

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
