use axum::{Json, extract::State};
use flumen_api_types::{JobSummary, JobsQuery, Page};
use flumen_control::JobView;

use crate::{
    error::Error,
    extract::{Caller, Query, Slice, slice},
    state::Api,
    translate,
};

/// How many jobs are looked at in one go.
const BATCH: u32 = 500;

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
    let wanted = slice.fetch() as usize;
    let mut found: Vec<JobView> = Vec::new();
    let mut after = slice.after.clone();
    loop {
        let batch =
            api.control.jobs(&principal, query.environment.clone(), after, Some(BATCH)).await?;
        let is_last = batch.len() < BATCH as usize;
        after = batch.last().map(key);
        found.extend(batch.into_iter().filter(|view| matches(view, &query)));
        if is_last || found.len() >= wanted {
            break;
        }
    }
    found.truncate(wanted);
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
