use axum::{Json, extract::State, http::StatusCode};
use flumen_api_types::Operation;

use crate::{
    error::Error,
    extract::{Caller, IdempotencyKey, IfMatch, JobPath, Path},
    state::Api,
    translate,
};

/// Cancels a job, without a savepoint.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/cancel", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = Operation))
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    expected: IfMatch,
    key: IdempotencyKey,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let terms = expected.terms(key.with(&("cancel", &path.environment, &path.job)));
    let id = api.control.cancel_job(&principal, path.name(), terms).await?;
    translate::accepted(&api, &principal, id).await
}
