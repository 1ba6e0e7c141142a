use axum::{Json, extract::State};
use flumen_api_types::Operation;
use flumen_model::OperationId;

use crate::{
    error::Error,
    extract::{Caller, Path},
    state::Api,
    translate,
};

/// Shows an operation with its steps.
#[utoipa::path(
    get, path = "/api/v1/operations/{id}", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = Operation))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(id): Path<OperationId>,
) -> Result<Json<Operation>, Error> {
    let known = api.control.operation(&principal, id).await?;
    Ok(Json(translate::with_savepoint(&api, &principal, known).await?))
}
