use axum::{Json, extract::State};
use flumen_api_types::{Event, Page, PageQuery};
use flumen_model::EventId;

use crate::{
    error::Error,
    extract::{Caller, JobPath, Path, Query, Slice, slice},
    state::Api,
    translate,
};

/// Lists what happened to a job, newest first.
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/jobs/{job}/events", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), PageQuery),
    responses((status = 200, body = Page<Event>))
)]
pub(crate) async fn events(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(JobPath { environment, job }): Path<JobPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Event>>, Error> {
    let slice: Slice<EventId> = slice(query.limit, query.cursor.as_deref())?;
    let events =
        api.control.events(&principal, (&environment, &job), slice.after, slice.fetch()).await?;
    Ok(Json(slice.page(events.into_iter().map(translate::event).collect(), |event| event.id)))
}
