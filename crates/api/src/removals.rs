//! Removal of what nothing needs any more.

use axum::{Json, extract::State};
use flumen_api_types::{Page, PageQuery, Prune, Pruned, Removal};
use flumen_model::Uuid;

use crate::{
    error::Error,
    extract::{Body, Caller, Query, Slice, slice},
    state::Api,
    translate,
};

/// Removes releases that are more than jobs keep, and files and images that nothing needs and that were unused for long
/// enough; or says which these are. Only what is of the caller's team alone is looked at.
#[utoipa::path(
    post, path = "/api/v1/removals", tag = "removals", request_body = Prune,
    responses((status = 200, body = Pruned))
)]
pub(crate) async fn prune(
    State(api): State<Api>,
    Caller(principal): Caller,
    Body(body): Body<Prune>,
) -> Result<Json<Pruned>, Error> {
    Ok(Json(translate::pruned(api.control.dispose(Some(&principal), body.dry_run).await?)))
}

/// Lists what was removed of the caller's team, or of no team in particular, newest first.
#[utoipa::path(
    get, path = "/api/v1/removals", tag = "removals", params(PageQuery),
    responses((status = 200, body = Page<Removal>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(principal): Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Removal>>, Error> {
    let slice: Slice<Uuid> = slice(query.limit, query.cursor.as_deref())?;
    let found = api.control.removals(&principal, slice.after, slice.fetch()).await?;
    let page = slice.page(found, |removal| removal.id);
    let items = page.items.into_iter().map(translate::removal).collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}
