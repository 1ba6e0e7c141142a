use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use flumen_api_types::{JobReference, Page, PageQuery, Release, ReleaseDiff, ReleaseDiffQuery};
use flumen_model::{EnvironmentName, JobName};
use serde::Deserialize;

use crate::{
    error::Error,
    extract::{Caller, JobPath, Path, Query, Slice, slice},
    state::Api,
    translate,
};

/// Lists the releases of a job, newest first.
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/jobs/{job}/releases", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), PageQuery),
    responses((status = 200, body = Page<Release>))
)]
pub(crate) async fn releases(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(JobPath { environment, job }): Path<JobPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Release>>, Error> {
    let slice: Slice<u64> = slice(query.limit, query.cursor.as_deref())?;
    let releases = api.control.releases(&principal, &environment, &job).await?;
    let releases = releases.into_iter().map(translate::release);
    let later = releases.filter(|release| slice.after.is_none_or(|after| release.number < after));
    Ok(Json(slice.page(later.take(slice.fetch() as usize).collect(), |release| release.number)))
}

/// The part of an address that names a release.
#[derive(Debug, Deserialize)]
pub(crate) struct ReleasePath {
    environment: EnvironmentName,
    job: JobName,
    release: u64,
}

impl ReleasePath {
    const fn job(&self) -> (&EnvironmentName, &JobName) {
        (&self.environment, &self.job)
    }
}

/// Shows a release of a job.
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/jobs/{job}/releases/{release}", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), ("release" = u64, Path)),
    responses((status = 200, body = Release))
)]
pub(crate) async fn release(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<ReleasePath>,
) -> Result<Json<Release>, Error> {
    let number = translate::number(path.release);
    let release = api.control.release(&principal, path.job(), number).await?;
    Ok(Json(translate::release(release)))
}

/// The media type of SPDX documents in JSON.
const SPDX: &str = "application/spdx+json";

/// Lists what a release of a job is made of, as SPDX 2.3 in JSON: each file with its digests, what it is made of, and the
/// licences that are known. The image of a job has the same about itself attached to it.
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/jobs/{job}/releases/{release}/sbom", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), ("release" = u64, Path)),
    responses((status = 200, description = "The document", body = serde_json::Value, content_type = "application/spdx+json"))
)]
pub(crate) async fn release_sbom(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<ReleasePath>,
) -> Result<Response, Error> {
    let number = translate::number(path.release);
    let document = api.control.release_sbom(&principal, path.job(), number).await?;
    Ok(([(header::CONTENT_TYPE, SPDX)], document.to_string()).into_response())
}

/// Says where a release of a job differs from another, and what it takes to go there.
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/jobs/{job}/releases/{release}/diff", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), ("release" = u64, Path), ReleaseDiffQuery),
    responses((status = 200, body = ReleaseDiff))
)]
pub(crate) async fn release_diff(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(path): Path<ReleasePath>,
    Query(query): Query<ReleaseDiffQuery>,
) -> Result<Json<ReleaseDiff>, Error> {
    let numbers = (translate::number(query.from), translate::number(path.release));
    let found = api.control.release_differences(&principal, path.job(), numbers).await?;
    Ok(Json(ReleaseDiff {
        job: JobReference { environment: path.environment, name: path.job },
        from: query.from,
        to: path.release,
        effect: translate::effect(flumen_lifecycle::effect(&found)),
        changes: translate::changes(found),
    }))
}
