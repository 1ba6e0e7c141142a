use axum::{Json, extract::State};
use flumen_api_types::{Operation, OperationsQuery, Page};
use flumen_model::{EnvironmentName, OperationId};

use crate::{
    error::Error,
    extract::{Caller, Query, Slice, named, slice},
    state::Api,
    translate,
};

/// The most operations that are looked through for a page.
const DEPTH: u32 = 10_000;

/// Lists operations, newest first, without their steps.
#[utoipa::path(
    get, path = "/api/v1/operations", tag = "operations", params(OperationsQuery),
    responses((status = 200, body = Page<Operation>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(principal): Caller,
    Query(query): Query<OperationsQuery>,
) -> Result<Json<Page<Operation>>, Error> {
    let slice: Slice<OperationId> = slice(query.limit, query.cursor.as_deref())?;
    let job = named(query.environment.as_ref(), query.job.as_ref())?;
    // Operations are few and come without their steps, so a page is cut out of all of them.
    let depth =
        if slice.after.is_none() && query.environment.is_none() { slice.fetch() } else { DEPTH };
    let all = api.control.operations(&principal, job, depth).await?;
    let wanted = all
        .into_iter()
        .filter(|operation| slice.after.is_none_or(|after| operation.id < after))
        .filter(|operation| is_in(operation.environment.as_ref(), query.environment.as_ref()))
        .take(slice.fetch() as usize)
        .map(translate::operation);
    Ok(Json(slice.page(wanted.collect(), |operation| operation.id)))
}

fn is_in(environment: Option<&EnvironmentName>, wanted: Option<&EnvironmentName>) -> bool {
    wanted.is_none() || environment == wanted
}
