use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use flumen_api_types::{Applied, ApplyJob, Change, Operation};
use flumen_control::{Applying, Principal};

use super::check_same;
use crate::{
    error::Error,
    extract::{Body, Caller, IdempotencyKey, IfMatch, JobPath, Path, tagged},
    state::Api,
    translate,
};

/// Creates or changes a job as its file has it, and starts it where it does not run, or replaces
/// its run where the change takes that. A release with URLs, Maven coordinates or a SQL script is prepared by the
/// operation that is answered then: `applied` is there as soon as it is made.
#[utoipa::path(
    put, path = "/api/v1/environments/{environment}/jobs/{job}", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ApplyJob,
    responses((status = 200, body = Applied), (status = 201, body = Applied), (status = 202, body = Operation))
)]
pub(crate) async fn apply(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    expected: IfMatch,
    key: IdempotencyKey,
    Body(body): Body<ApplyJob>,
) -> Result<Response, Error> {
    check_same(&path, &body.spec)?;
    let terms = expected.terms(key.with(&("apply", &path.environment, &path.job, &body)));
    let apply = flumen_control::ApplyJob {
        spec: body.spec,
        artifacts: translate::artifacts(body.artifacts),
        start: body.start,
        force: body.force,
        terms,
    };
    match api.control.apply_job(&principal, apply).await? {
        Applying::Done(applied) => answer(&api, &principal, *applied).await,
        Applying::Preparing(id) => {
            Ok(translate::accepted(&api, &principal, id).await?.into_response())
        }
    }
}

/// The answer to what made a definition of a job.
pub(super) async fn answer(
    api: &Api,
    principal: &Principal,
    applied: flumen_control::Applied,
) -> Result<Response, Error> {
    let operation = match applied.operation {
        Some(id) => Some(translate::operation(api.control.operation(principal, id).await?)),
        None => None,
    };
    let applied = translate::applied(applied, operation);
    let status = match applied.change {
        Change::Created => StatusCode::CREATED,
        Change::Unchanged | Change::Configured | Change::Restart => StatusCode::OK,
    };
    Ok((status, tagged(applied.job.version, &applied)).into_response())
}
