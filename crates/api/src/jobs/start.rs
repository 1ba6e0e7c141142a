use axum::{Json, extract::State, http::StatusCode};
use flumen_api_types::Operation;
use flumen_control::StartOrder;

use crate::{
    error::Error,
    extract::{Caller, IdempotencyKey, JobPath, Path},
    state::Api,
    translate,
};

/// Starts a job that does not run, with its newest release.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/start", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = Operation))
)]
pub(crate) async fn start(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(JobPath { environment, job }): Path<JobPath>,
    key: IdempotencyKey,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let key = key.with(&("start", &environment, &job));
    let id =
        api.control.start_job(&principal, (&environment, &job), StartOrder::default(), key).await?;
    translate::accepted(&api, &principal, id).await
}
