use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use flumen_api_types::{Applied, ApplyJob};
use flumen_control::UploadedArtifact;

use crate::{
    error::Error,
    extract::{Body, Caller, IdempotencyKey, IfMatch, JobPath, Path, tagged},
    state::Api,
    translate,
};

/// Creates or changes a job as its file has it, and starts it where it does not run.
#[utoipa::path(
    put, path = "/api/v1/environments/{environment}/jobs/{job}", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ApplyJob,
    responses((status = 200, body = Applied), (status = 201, body = Applied))
)]
pub(crate) async fn apply(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    expected: IfMatch,
    key: IdempotencyKey,
    Body(body): Body<ApplyJob>,
) -> Result<Response, Error> {
    same("environment", path.environment.as_str(), body.spec.environment.as_str())?;
    same("job", path.job.as_str(), body.spec.name.as_str())?;
    if expected != IfMatch(None) {
        let known = api.control.job(&principal, &path.environment, &path.job).await?;
        let known = translate::job(known);
        expected.check(format!("the job {}", known.reference()), known.version)?;
    }
    let key = key.with(&("apply", &path.environment, &path.job, &body));
    let artifacts = body.artifacts.into_iter().map(|artifact| UploadedArtifact {
        name: artifact.name,
        digest: artifact.digest,
        role: artifact.role,
    });
    let apply = flumen_control::ApplyJob {
        spec: body.spec,
        artifacts: artifacts.collect(),
        start: body.start,
        force: false,
        if_match: expected.0.and_then(|version| i64::try_from(version).ok()),
        key,
    };
    let applied = api.control.apply_job(&principal, apply).await?;
    let operation = match applied.operation {
        Some(id) => Some(translate::operation(api.control.operation(&principal, id).await?)),
        None => None,
    };
    let change = translate::change(applied.change);
    let job = translate::job(applied.job);
    let status = match change {
        flumen_api_types::Change::Created => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    Ok((status, tagged(job.version, &Applied { job, operation, change })).into_response())
}

fn same(what: &'static str, address: &str, body: &str) -> Result<(), Error> {
    if address == body {
        return Ok(());
    }
    Err(Error::Mismatch { what, address: address.to_owned(), body: body.to_owned() })
}
