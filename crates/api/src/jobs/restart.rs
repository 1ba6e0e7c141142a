use axum::{Json, extract::State, http::StatusCode};
use flumen_api_types::{Operation, RestartJob};

use crate::{
    error::Error,
    extract::{Caller, IdempotencyKey, IfMatch, JobPath, OptionalBody, Path},
    state::Api,
    translate,
};

/// Ends the run of a job and starts its newest release, by default with its state. A body is not needed.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/restart", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<RestartJob>,
    responses((status = 202, body = Operation))
)]
pub(crate) async fn restart(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    expected: IfMatch,
    key: IdempotencyKey,
    OptionalBody(order): OptionalBody<RestartJob>,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let terms = expected.terms(key.with(&("restart", &path.environment, &path.job, &order)));
    let order = translate::restart(order)?;
    let id = api.control.restart_job(&principal, path.name(), order, terms).await?;
    translate::accepted(&api, &principal, id).await
}
