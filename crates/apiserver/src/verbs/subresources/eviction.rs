//! Eviction: a deletion that budgets could refuse, if there were any.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    failure::Failure,
    request::Call,
    verbs::{body, delete},
};

pub(super) async fn evict(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let eviction = body::read_object(call, request.into_body()).await?;
    let options = eviction.get("deleteOptions").cloned().unwrap_or(Value::Null);
    delete::delete_with(api, call, &options).await?;
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(Answer::Value(StatusCode::CREATED, status))
}
