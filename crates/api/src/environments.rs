//! Environments: where jobs run.

use axum::{Json, extract::State, response::Response};
use flumen_api_types::{Environment, EnvironmentCheck, EnvironmentSpec, Page, PageQuery};
use flumen_model::EnvironmentName;

use crate::{
    error::Error,
    extract::{Body, Caller, IfMatch, Path, Query, Slice, slice, tagged},
    state::Api,
    translate,
};

/// Lists environments by name.
#[utoipa::path(
    get, path = "/api/v1/environments", tag = "environments", params(PageQuery),
    responses((status = 200, body = Page<Environment>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Environment>>, Error> {
    let slice: Slice<String> = slice(query.limit, query.cursor.as_deref())?;
    let all = api.control.environments().await?.into_iter().map(translate::environment);
    let later = all.filter(|item| {
        slice.after.as_ref().is_none_or(|after| item.name.as_str() > after.as_str())
    });
    Ok(Json(slice.page(later.take(slice.fetch() as usize).collect(), |item| item.name.to_string())))
}

/// Shows an environment.
#[utoipa::path(
    get, path = "/api/v1/environments/{name}", tag = "environments", params(("name" = String, Path)),
    responses((status = 200, body = Environment))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Path(name): Path<EnvironmentName>,
) -> Result<Response, Error> {
    let environment = translate::environment(api.control.environment(&name).await?);
    Ok(tagged(environment.version, &environment))
}

/// Creates or replaces an environment; its cluster must be known. Keys of its storage go into a Secret of its namespace.
#[utoipa::path(
    put, path = "/api/v1/environments/{name}", tag = "environments",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = EnvironmentSpec,
    responses((status = 200, body = Environment))
)]
pub(crate) async fn save(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(name): Path<EnvironmentName>,
    expected: IfMatch,
    Body(spec): Body<EnvironmentSpec>,
) -> Result<Response, Error> {
    let (document, keys) = translate::environment_change(&name, spec)?;
    let (change, terms) = ((&document, keys.as_ref()), expected.terms(None));
    let saved = api.control.save_environment(&principal, &name, change, &terms).await?;
    let saved = translate::environment(saved);
    Ok(tagged(saved.version, &saved))
}

/// Looks whether the storage of an environment can be used: writes, lists, reads and deletes a probe, and looks for the
/// plugin that Flink needs. What goes wrong is in the answer.
#[utoipa::path(
    post, path = "/api/v1/environments/{name}/check", tag = "environments", params(("name" = String, Path)),
    responses((status = 200, body = EnvironmentCheck))
)]
pub(crate) async fn check(
    State(api): State<Api>,
    Path(name): Path<EnvironmentName>,
) -> Result<Json<EnvironmentCheck>, Error> {
    let checks = api.control.check_environment(&name).await?;
    Ok(Json(translate::environment_check(checks)))
}
