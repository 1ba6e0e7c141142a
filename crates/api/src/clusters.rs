//! Clusters: what Flumen deploys to.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use flumen_api_types::{
    AddCluster, Cluster, ClusterCheck, ClusterCheckQuery, ClusterNeeds, ClusterSource, Page,
    PageQuery,
};
use flumen_model::ClusterName;

use crate::{
    error::Error,
    extract::{Body, Caller, IfMatch, Path, Query, Slice, slice, tagged},
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

/// Takes a cluster in. Its credentials are encrypted and shown to nobody.
#[utoipa::path(
    post, path = "/api/v1/clusters", tag = "clusters", request_body = AddCluster,
    responses((status = 201, body = Cluster))
)]
pub(crate) async fn add(
    State(api): State<Api>,
    Caller(principal): Caller,
    Body(body): Body<AddCluster>,
) -> Result<(StatusCode, Response), Error> {
    let (name, source) = body.into_parts();
    let source = translate::cluster_source(source)?;
    let added = api.control.add_cluster(&principal, &name, &source).await?;
    let added = translate::cluster(added);
    Ok((StatusCode::CREATED, tagged(added.version, &added)))
}

/// Shows a cluster, asked just now.
#[utoipa::path(
    get, path = "/api/v1/clusters/{name}", tag = "clusters", params(("name" = String, Path)),
    responses((status = 200, body = Cluster))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    let cluster = translate::cluster(api.control.cluster(&name).await?);
    Ok(tagged(cluster.version, &cluster))
}

/// Changes how a cluster is reached. Nothing is done to what runs there.
#[utoipa::path(
    put, path = "/api/v1/clusters/{name}", tag = "clusters",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = ClusterSource,
    responses((status = 200, body = Cluster))
)]
pub(crate) async fn edit(
    State(api): State<Api>,
    Path(name): Path<ClusterName>,
    expected: IfMatch,
    Body(source): Body<ClusterSource>,
) -> Result<Response, Error> {
    let source = translate::cluster_source(source)?;
    let saved = api.control.edit_cluster(&name, &source, &expected.terms(None)).await?;
    let saved = translate::cluster(saved);
    Ok(tagged(saved.version, &saved))
}

/// Forgets a cluster that no environment and no job is in. Nothing is done to the cluster itself.
#[utoipa::path(
    delete, path = "/api/v1/clusters/{name}", tag = "clusters", params(("name" = String, Path)),
    responses((status = 204, description = "It is forgotten"))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Path(name): Path<ClusterName>,
) -> Result<StatusCode, Error> {
    api.control.remove_cluster(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks that a cluster can be reached and has what Flumen and Flink need, in each namespace of its environments: rights,
/// quotas, pull secrets. What goes wrong is in the answer.
#[utoipa::path(
    get, path = "/api/v1/clusters/{name}/check", tag = "clusters",
    params(("name" = String, Path), ClusterCheckQuery),
    responses((status = 200, body = ClusterCheck))
)]
pub(crate) async fn check(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(query): Query<ClusterCheckQuery>,
) -> Result<Json<ClusterCheck>, Error> {
    let more = translate::another_place(query)?;
    let check = api.control.check_cluster(&name, more.as_ref()).await?;
    Ok(Json(translate::cluster_check(check)))
}

/// What Flink's pods need in each namespace of the cluster's environments, by the configurations of these and of their jobs.
/// The cluster is not asked.
#[utoipa::path(
    get, path = "/api/v1/clusters/{name}/needs", tag = "clusters", params(("name" = String, Path)),
    responses((status = 200, body = ClusterNeeds))
)]
pub(crate) async fn needs(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<ClusterNeeds>, Error> {
    let needs = api.control.cluster_needs(&name).await?;
    Ok(Json(translate::cluster_needs(needs)))
}
