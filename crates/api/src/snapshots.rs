//! Savepoints and checkpoints of jobs.

use axum::{Json, extract::State};
use flumen_api_types::{Page, Snapshot, SnapshotsQuery};
use flumen_model::SnapshotId;

use crate::{
    error::Error,
    extract::{Caller, Path, Query, Slice, gather, named, slice},
    state::Api,
    translate,
};

/// Lists snapshots, newest first.
#[utoipa::path(
    get, path = "/api/v1/snapshots", tag = "snapshots", params(SnapshotsQuery),
    responses((status = 200, body = Page<Snapshot>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(principal): Caller,
    Query(query): Query<SnapshotsQuery>,
) -> Result<Json<Page<Snapshot>>, Error> {
    let slice: Slice<SnapshotId> = slice(query.limit, query.cursor.as_deref())?;
    let job = named(query.environment.as_ref(), query.job.as_ref())?;
    let found = gather(
        &slice,
        |snapshot: &flumen_control::Snapshot| snapshot.id,
        |snapshot| query.environment.as_ref().is_none_or(|wanted| snapshot.environment == *wanted),
        |before, limit| api.control.snapshots(&principal, job, before, limit),
    )
    .await?;
    let found = found.into_iter().map(translate::snapshot).collect();
    Ok(Json(slice.page(found, |snapshot| snapshot.id)))
}

/// Shows a snapshot.
#[utoipa::path(
    get, path = "/api/v1/snapshots/{id}", tag = "snapshots", params(("id" = String, Path)),
    responses((status = 200, body = Snapshot))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(id): Path<SnapshotId>,
) -> Result<Json<Snapshot>, Error> {
    Ok(Json(translate::snapshot(api.control.snapshot(&principal, id).await?)))
}
