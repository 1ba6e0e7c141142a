use axum::{Json, extract::State};
use flumen_api_types::{JobSummary, JobsQuery, Page};
use flumen_control::JobView;

use crate::{
    error::Error,
    extract::{Caller, Query, Slice, gather, slice},
    state::Api,
    translate,
};

/// Lists jobs by environment and name.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs", params(JobsQuery),
    responses((status = 200, body = Page<JobSummary>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(principal): Caller,
    Query(query): Query<JobsQuery>,
) -> Result<Json<Page<JobSummary>>, Error> {
    let slice: Slice<(String, String)> = slice(query.limit, query.cursor.as_deref())?;
    let found = gather(
        &slice,
        key,
        |view| matches(view, &query),
        |after, limit| api.control.jobs(&principal, query.environment.clone(), after, Some(limit)),
    )
    .await?;
    let page = slice.page(found, key);
    let items = page.items.into_iter().map(translate::job_summary).collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}

fn key(view: &JobView) -> (String, String) {
    (view.job.environment.to_string(), view.job.name.to_string())
}

fn matches(view: &JobView, query: &JobsQuery) -> bool {
    query.state.is_none_or(|state| translate::job_state(view.state) == state)
        && query.name.as_ref().is_none_or(|text| view.job.name.as_str().contains(text.as_str()))
}
