use axum::{Json, extract::State, http::StatusCode};
use flumen_api_types::{Operation, TakeSavepoint};

use crate::{
    error::Error,
    extract::{Caller, IdempotencyKey, IfMatch, JobPath, OptionalBody, Path},
    state::Api,
    translate,
};

/// Takes a savepoint of a job that goes on. A body is not needed.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/savepoint", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<TakeSavepoint>,
    responses((status = 202, body = Operation))
)]
pub(crate) async fn savepoint(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    expected: IfMatch,
    key: IdempotencyKey,
    OptionalBody(order): OptionalBody<TakeSavepoint>,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let terms = expected.terms(key.with(&("savepoint", &path.environment, &path.job, &order)));
    let order = translate::savepoint(order);
    let id = api.control.savepoint_job(&principal, path.name(), order, terms).await?;
    translate::accepted(&api, &principal, id).await
}
