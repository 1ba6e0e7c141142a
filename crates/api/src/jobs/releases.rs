use axum::{Json, extract::State};
use flumen_api_types::{Page, PageQuery, Release};

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
