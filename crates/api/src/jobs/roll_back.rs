use axum::{extract::State, response::Response};
use flumen_api_types::{Applied, RollBackJob};
use flumen_control::RollBackOrder;

use super::apply::answer;
use crate::{
    error::Error,
    extract::{Body, Caller, IdempotencyKey, IfMatch, JobPath, Path},
    state::Api,
    translate,
};

/// Makes an earlier release the definition of a job again, and starts it where it does not run, or replaces its
/// run. The policies of the job stay as they are.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/rollback", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = RollBackJob,
    responses((status = 200, body = Applied))
)]
pub(crate) async fn roll_back(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    expected: IfMatch,
    key: IdempotencyKey,
    Body(body): Body<RollBackJob>,
) -> Result<Response, Error> {
    let terms = expected.terms(key.with(&("rollback", &path.environment, &path.job, &body)));
    let RollBackJob { release, start, force } = body;
    let order = RollBackOrder { release: translate::number(release), start, force };
    let applied = api.control.roll_back_job(&principal, path.name(), order, terms).await?;
    answer(&api, &principal, applied).await
}
