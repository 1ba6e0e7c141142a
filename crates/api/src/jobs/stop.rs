use axum::{Json, extract::State, http::StatusCode};
use flumen_api_types::{Operation, StopJob};

use crate::{
    error::Error,
    extract::{Caller, IdempotencyKey, IfMatch, JobPath, OptionalBody, Path},
    state::Api,
    translate,
};

/// Stops a job with a savepoint. A body is not needed.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/stop", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<StopJob>,
    responses((status = 202, body = Operation))
)]
pub(crate) async fn stop(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    expected: IfMatch,
    key: IdempotencyKey,
    OptionalBody(order): OptionalBody<StopJob>,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let terms = expected.terms(key.with(&("stop", &path.environment, &path.job, &order)));
    let order = translate::stop(order);
    let id = api.control.stop_job(&principal, path.name(), order, terms).await?;
    translate::accepted(&api, &principal, id).await
}
