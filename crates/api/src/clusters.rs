//! Clusters: what Flumen deploys to.

use axum::{Json, extract::State};
use flumen_api_types::{Check, CheckOutcome, Cluster, ClusterCheck, Page, PageQuery};

use crate::{
    error::Error,
    extract::{Path, Query, Slice, slice},
    state::Api,
    translate,
};

/// Lists clusters by name, each asked just now.
#[utoipa::path(
    get, path = "/api/v1/clusters", tag = "clusters", params(PageQuery),
    responses((status = 200, body = Page<Cluster>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Cluster>>, Error> {
    let slice: Slice<String> = slice(query.limit, query.cursor.as_deref())?;
    let all = api.control.clusters().await?.into_iter().map(translate::cluster);
    let later =
        all.filter(|cluster| slice.after.as_ref().is_none_or(|after| cluster.name > *after));
    Ok(Json(
        slice.page(later.take(slice.fetch() as usize).collect(), |cluster| cluster.name.clone()),
    ))
}

/// Shows a cluster, asked just now.
#[utoipa::path(
    get, path = "/api/v1/clusters/{name}", tag = "clusters", params(("name" = String, Path)),
    responses((status = 200, body = Cluster))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<Cluster>, Error> {
    find(&api, &name).await.map(Json)
}

/// Checks that a cluster can be reached.
#[utoipa::path(
    get, path = "/api/v1/clusters/{name}/check", tag = "clusters", params(("name" = String, Path)),
    responses((status = 200, body = ClusterCheck))
)]
pub(crate) async fn check(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<ClusterCheck>, Error> {
    let cluster = find(&api, &name).await?;
    let check = match (&cluster.kubernetes_version, &cluster.reason) {
        (Some(version), _) => Check {
            name: "reachable".to_owned(),
            outcome: CheckOutcome::Ok,
            detail: format!("it answers as Kubernetes {version}"),
            remedy: None,
        },
        (None, reason) => Check {
            name: "reachable".to_owned(),
            outcome: CheckOutcome::Fail,
            detail: reason.clone().unwrap_or_else(|| "it does not answer".to_owned()),
            remedy: Some(format!(
                "see that the API server runs and that {} on the server's machine names it",
                cluster.kubeconfig
            )),
        },
    };
    Ok(Json(ClusterCheck { cluster, checks: vec![check] }))
}

async fn find(api: &Api, name: &str) -> Result<Cluster, Error> {
    let clusters = api.control.clusters().await?;
    let cluster = clusters.into_iter().find(|cluster| cluster.name == name);
    cluster.map(translate::cluster).ok_or_else(|| Error::NoCluster { name: name.to_owned() })
}
