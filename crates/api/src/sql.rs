//! Scripts in SQL.

use axum::{Json, extract::State};
use flumen_api_types::{ExplainSql, SqlExplanation};

use crate::{
    error::Error,
    extract::{Body, Caller},
    state::Api,
    translate,
};

/// The largest request, in bytes. What a pod can be given is less.
pub(crate) const MAX_REQUEST: usize = 2 << 20;

/// Has Flink explain a script, in a pod that is there for that alone and goes with the answer or with the connection.
/// What is wrong with the script is in the answer; an error is what kept Flink from one.
#[utoipa::path(
    post, path = "/api/v1/sql/explain", tag = "sql",
    request_body = ExplainSql,
    responses((status = 200, body = SqlExplanation))
)]
pub(crate) async fn explain(
    State(api): State<Api>,
    Caller(principal): Caller,
    Body(body): Body<ExplainSql>,
) -> Result<Json<SqlExplanation>, Error> {
    let explained = api.control.explain_sql(&principal, translate::explain_sql(body)).await?;
    Ok(Json(translate::sql_explanation(explained)))
}
