use axum::{Json, extract::State};
use flumen_api_types::{DiffJob, JobDiff};

use super::check_same;
use crate::{
    error::Error,
    extract::{Body, Caller, JobPath, Path},
    state::Api,
    translate,
};

/// Says what applying a job file would change, and what that takes. Nothing is changed, and nothing
/// has to be uploaded.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/diff", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path)),
    request_body = DiffJob,
    responses((status = 200, body = JobDiff))
)]
pub(crate) async fn diff(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<JobPath>,
    Body(body): Body<DiffJob>,
) -> Result<Json<JobDiff>, Error> {
    check_same(&path, &body.spec)?;
    let artifacts = translate::artifacts(body.artifacts);
    let diff = api.control.diff_job(&principal, &body.spec, &artifacts).await?;
    Ok(Json(translate::diff(path.reference(), diff)))
}
