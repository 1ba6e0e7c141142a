use axum::{Json, extract::State, http::StatusCode};
use flumen_api_types::Operation;

use crate::{
    error::Error,
    extract::{Caller, IdempotencyKey, JobPath, Path},
    state::Api,
    translate,
};

/// Cancels a job, without a savepoint.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/cancel", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = Operation))
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(JobPath { environment, job }): Path<JobPath>,
    key: IdempotencyKey,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let key = key.with(&("cancel", &environment, &job));
    let id = api.control.cancel_job(&principal, (&environment, &job), key).await?;
    translate::accepted(&api, &principal, id).await
}
