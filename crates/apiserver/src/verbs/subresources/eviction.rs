//! Eviction: a deletion that budgets could refuse, if there were any.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use k8s_openapi::{Resource, api::policy::v1::Eviction};
use serde_json::json;

use crate::{
    api::{Answer, Api},
    failure::{Cause, Failure},
    request::Call,
    verbs::{body, delete},
};

pub(super) async fn evict(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let mut sent = body::read_of_kind(call, Eviction::KIND, request.into_body()).await?;
    // The same in an older version, which clients still send.
    if sent.get("apiVersion").is_some_and(|version| version == "policy/v1beta1") {
        sent["apiVersion"] = Eviction::API_VERSION.into();
    }
    let eviction: Eviction = body::of_value(call, sent)?;
    if eviction.metadata.name.as_deref() != Some(call.name()) {
        return Err(Failure::bad_request("name in URL does not match name in Eviction object"));
    }
    let mut options = eviction.delete_options.unwrap_or_default();
    if options.ignore_store_read_error_with_cluster_breaking_potential == Some(true) {
        let field = "deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential";
        let detail = "can not be set for pod eviction, try after removing the option";
        let cause = Cause::invalid(field, &true.into(), detail);
        return Err(Failure::invalid_kind("policy", Eviction::KIND, call.name(), &[cause]));
    }
    if call.dry_run() {
        let own = options.dry_run.get_or_insert_default();
        if own.is_empty() {
            own.push("All".to_owned());
        } else if *own != ["All"] {
            return Err(Failure::unknown(format!(
                "Non-matching dry-run options in request and content: [All] and [{}]",
                own.join(" ")
            )));
        }
    }
    delete::delete_with(api, call, &options).await?;
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(Answer::Value(StatusCode::CREATED, status))
}
