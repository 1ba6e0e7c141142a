//! Projects: sources in git repositories, and their builds.

use axum::{
    Json,
    body::Body as ResponseBody,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_api_types::{
    BuildProject, Operation, Page, PageQuery, Project, ProjectBuild, ProjectLogQuery, SaveProject,
};
use flumen_model::ProjectName;
use futures::StreamExt as _;

use crate::{
    error::Error,
    extract::{
        Body, Caller, IdempotencyKey, IfMatch, OptionalBody, Path, Query, Slice, slice, tagged,
    },
    state::Api,
    translate,
};

/// Lists projects by name, each with its newest build.
#[utoipa::path(
    get, path = "/api/v1/projects", tag = "projects", params(PageQuery),
    responses((status = 200, body = Page<Project>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(principal): Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Project>>, Error> {
    let slice: Slice<String> = slice(query.limit, query.cursor.as_deref())?;
    let all = api.control.projects(&principal).await?.into_iter().map(translate::project);
    let name = |project: &Project| project.spec.name.to_string();
    let later =
        all.filter(|project| slice.after.as_ref().is_none_or(|after| name(project) > *after));
    Ok(Json(slice.page(later.take(slice.fetch() as usize).collect(), name)))
}

/// Shows a project with its newest builds.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = Project))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(name): Path<ProjectName>,
) -> Result<Response, Error> {
    let project = translate::project(api.control.project(&principal, &name).await?);
    Ok(tagged(project.version, &project))
}

/// Creates or changes a project as its file says. Nothing is built for that.
#[utoipa::path(
    put, path = "/api/v1/projects/{project}", tag = "projects",
    params(("project" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = SaveProject,
    responses((status = 200, body = Project))
)]
pub(crate) async fn save(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(name): Path<ProjectName>,
    expected: IfMatch,
    Body(body): Body<SaveProject>,
) -> Result<Response, Error> {
    let spec = body.spec;
    if spec.name != name {
        let (address, body) = (name.to_string(), spec.name.to_string());
        return Err(Error::Mismatch { what: "project", address, body });
    }
    let saved = api.control.save_project(&principal, &spec, &expected.terms(None)).await?;
    let saved = translate::project(saved);
    Ok(tagged(saved.version, &saved))
}

/// Forgets a project and its builds. Jobs keep the jars that they have.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(name): Path<ProjectName>,
) -> Result<StatusCode, Error> {
    api.control.delete_project(&principal, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Builds a project in a pod of its environment and takes the jar. A body is not needed.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/builds", tag = "projects",
    params(("project" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<BuildProject>,
    responses((status = 202, body = Operation))
)]
pub(crate) async fn build(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(name): Path<ProjectName>,
    key: IdempotencyKey,
    OptionalBody(order): OptionalBody<BuildProject>,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let key = key.with(&("buildProject", &name, &order));
    let id = api.control.build_project(&principal, &name, order.reference, key).await?;
    translate::accepted(&api, &principal, id).await
}

/// Lists the builds of a project, newest first.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/builds", tag = "projects",
    params(("project" = String, Path), PageQuery),
    responses((status = 200, body = Page<ProjectBuild>))
)]
pub(crate) async fn builds(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(name): Path<ProjectName>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ProjectBuild>>, Error> {
    let slice: Slice<u64> = slice(query.limit, query.cursor.as_deref())?;
    let builds = api.control.project_builds(&principal, &name).await?;
    let builds = builds.into_iter().map(translate::project_build);
    let later = builds.filter(|build| slice.after.is_none_or(|after| build.number < after));
    Ok(Json(slice.page(later.take(slice.fetch() as usize).collect(), |build| build.number)))
}

/// Sends the log of a build as it comes: from its pod while that stands, from a saved file afterwards.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/log", tag = "projects",
    params(("project" = String, Path), ProjectLogQuery),
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(crate) async fn log(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(name): Path<ProjectName>,
    Query(query): Query<ProjectLogQuery>,
) -> Result<Response, Error> {
    let number = query.build.map(translate::number);
    let log = api.control.project_log(&principal, &name, number, query.follow).await?;
    let log = log.take_until(api.stop.cancelled_owned());
    let content_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((content_type, ResponseBody::from_stream(log)).into_response())
}
