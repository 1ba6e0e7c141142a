//! What every cluster has from its first start: its namespaces, the service by which pods find the API, and roles.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::{
    Error,
    api::Api,
    resources::RBAC_GROUP,
    security::{User, rbac::defaults},
};

const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// Makes what is missing and corrects what changed with the settings.
pub(crate) async fn run(api: &Arc<Api>) -> Result<(), Error> {
    let namespaces = api.registry.core("namespaces");
    let missing: Vec<&str> = NAMESPACES
        .into_iter()
        .filter(|name| api.store.get(namespaces.id, name).is_none())
        .collect();
    let made = missing.into_iter().map(|name| {
        put(api, Method::POST, "/api/v1/namespaces".into(), json!({"metadata": {"name": name}}))
    });
    futures::future::try_join_all(made).await?;
    let range = api.settings.service_range;
    let advertised = api.settings.advertised;
    let services = api.registry.core("services");
    if api.store.get(services.id, "default/kubernetes").is_none() {
        let service = json!({
            "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {
                "clusterIP": range.nth(1).to_string(),
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": advertised.port()}]
            }
        });
        put(api, Method::POST, "/api/v1/namespaces/default/services".into(), service).await?;
    }
    let endpoints = json!({
        "metadata": {"name": "kubernetes", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{
            "addresses": [{"ip": advertised.ip().to_string()}],
            "ports": [{"name": "https", "port": advertised.port(), "protocol": "TCP"}]
        }]
    });
    put(api, Method::PUT, "/api/v1/namespaces/default/endpoints/kubernetes".into(), endpoints)
        .await?;
    let slice = json!({
        "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [advertised.ip().to_string()], "conditions": {"ready": true}}],
        "ports": [{"name": "https", "port": advertised.port(), "protocol": "TCP"}]
    });
    let slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    let written = match api.registry.find("discovery.k8s.io", "v1", "endpointslices") {
        Some(known) if api.store.get(known.id, "default/kubernetes").is_some() => {
            put(api, Method::PUT, format!("{slices}/kubernetes"), slice).await
        }
        _ => put(api, Method::POST, slices.into(), slice).await,
    };
    written?;
    give_rights(api).await
}

/// The roles that every cluster has: made where they are missing, and brought back to what they are, as the real server
/// does it at each start.
async fn give_rights(api: &Arc<Api>) -> Result<(), Error> {
    let roles = defaults::roles().into_iter().map(|role| ("clusterroles", role));
    let bindings = defaults::bindings().into_iter().map(|it| ("clusterrolebindings", it));
    let mut writes = Vec::new();
    for (plural, wanted) in roles.chain(bindings) {
        let Some(resource) = api.registry.find(RBAC_GROUP, "v1", plural) else { continue };
        let name = wanted["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let collection = format!("/apis/{RBAC_GROUP}/v1/{plural}");
        match api.store.get(resource.id, &name) {
            None => writes.push(put(api, Method::POST, collection, wanted)),
            Some(present) => {
                if let Some(new) = defaults::reconciled(&present.value(), &wanted) {
                    writes.push(put(api, Method::PUT, format!("{collection}/{name}"), new));
                }
            }
        }
    }
    futures::future::try_join_all(writes).await.map(drop)
}

async fn put(api: &Arc<Api>, method: Method, path: String, object: Value) -> Result<(), Error> {
    let failed = |message: String| Error::Bootstrap { message };
    let request = Request::builder()
        .method(method)
        .uri(&path)
        .header("content-type", "application/json")
        .header("user-agent", "kube-apiserver")
        .body(Body::from(object.to_string()))
        .map_err(|error| failed(error.to_string()))?;
    let user = User::new("system:apiserver", ["system:masters"]);
    let response = api.clone().answer(Some(user), request).await;
    if response.status().is_success() {
        return Ok(());
    }
    let body = response
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    Err(failed(format!("{path}: {}", String::from_utf8_lossy(&body))))
}
