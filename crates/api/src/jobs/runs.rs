use axum::{Json, extract::State};
use flumen_api_types::{Page, PageQuery, Run};

use crate::{
    error::Error,
    extract::{Caller, JobPath, Path, Query, Slice, slice},
    state::Api,
    translate,
};

/// Lists the runs of a job, newest first.
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/jobs/{job}/runs", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), PageQuery),
    responses((status = 200, body = Page<Run>))
)]
pub(crate) async fn runs(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(JobPath { environment, job }): Path<JobPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Run>>, Error> {
    let slice: Slice<u64> = slice(query.limit, query.cursor.as_deref())?;
    let runs = api.control.runs(&principal, &environment, &job).await?;
    let runs = runs.into_iter().map(translate::run);
    let later = runs.filter(|run| slice.after.is_none_or(|after| run.number < after));
    Ok(Json(slice.page(later.take(slice.fetch() as usize).collect(), |run| run.number)))
}
