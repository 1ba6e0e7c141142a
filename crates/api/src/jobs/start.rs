use axum::{Json, extract::State, http::StatusCode};
use flumen_api_types::{Operation, StartJob};

use crate::{
    error::Error,
    extract::{Caller, IdempotencyKey, IfMatch, JobPath, OptionalBody, Path},
    state::Api,
    translate,
};

/// Starts a job that does not run, with its newest release. A body is not needed.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/start", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<StartJob>,
    responses((status = 202, body = Operation))
)]
pub(crate) async fn start(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    expected: IfMatch,
    key: IdempotencyKey,
    OptionalBody(order): OptionalBody<StartJob>,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let terms = expected.terms(key.with(&("start", &path.environment, &path.job, &order)));
    let order = translate::start(order)?;
    let id = api.control.start_job(&principal, path.name(), order, terms).await?;
    translate::accepted(&api, &principal, id).await
}
