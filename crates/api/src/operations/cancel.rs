use axum::{Json, extract::State};
use flumen_api_types::Operation;
use flumen_model::OperationId;

use crate::{
    error::Error,
    extract::{Caller, Path},
    state::Api,
    translate,
};

/// Cancels an operation that builds a project, or still prepares its release; the job stays as it is then. What an
/// operation does to a job is ended by an order to that job.
#[utoipa::path(
    post, path = "/api/v1/operations/{id}/cancel", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = Operation))
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(id): Path<OperationId>,
) -> Result<Json<Operation>, Error> {
    Ok(Json(translate::operation(api.control.cancel_operation(&principal, id).await?)))
}
