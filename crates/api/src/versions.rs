//! Flink versions: what jobs may use.

use std::{cmp::Reverse, path::PathBuf};

use axum::{Json, extract::State, http::StatusCode};
use flumen_api_types::{
    AddVersion, Operation, Page, PageQuery, Version, VersionJob, VersionQuery, VersionSource,
};
use flumen_model::{EnvironmentName, FlinkVersion, InvalidValue};

use crate::{
    error::Error,
    extract::{Body, Caller, IdempotencyKey, Path, Query, Slice, slice},
    state::Api,
    translate,
};

/// Lists Flink versions, newest first.
#[utoipa::path(
    get, path = "/api/v1/versions", tag = "versions", params(PageQuery),
    responses((status = 200, body = Page<Version>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Version>>, Error> {
    let slice: Slice<(FlinkVersion, EnvironmentName)> =
        slice(query.limit, query.cursor.as_deref())?;
    let mut all: Vec<Version> =
        api.control.versions().await?.into_iter().map(translate::version).collect();
    let place = |item: &Version| (Reverse(item.version), item.environment.clone());
    all.sort_by_key(place);
    let after = slice.after.clone().map(|(version, environment)| (Reverse(version), environment));
    all.retain(|item| after.as_ref().is_none_or(|after| place(item) > *after));
    all.truncate(slice.fetch() as usize);
    Ok(Json(slice.page(all, |item| (item.version, item.environment.clone()))))
}

/// Makes a Flink version available to the jobs of an environment.
#[utoipa::path(
    post, path = "/api/v1/versions", tag = "versions", request_body = AddVersion,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = Operation))
)]
pub(crate) async fn add(
    State(api): State<Api>,
    Caller(principal): Caller,
    key: IdempotencyKey,
    Body(body): Body<AddVersion>,
) -> Result<(StatusCode, Json<Operation>), Error> {
    let key = key.with(&("addVersion", &body));
    let source = match body.source {
        VersionSource::PythonPackages(true) => flumen_control::VersionSource::PythonPackages,
        VersionSource::PythonPackages(false) => {
            return Err(InvalidValue::new("pythonPackages", "false", "it can only be true").into());
        }
        VersionSource::Directory(text) => {
            flumen_control::VersionSource::Directory(absolute("directory", text)?)
        }
        VersionSource::Image(image) => flumen_control::VersionSource::Image(image),
    };
    let pyflink = body.pyflink.map(|text| absolute("pyflink", text)).transpose()?;
    let environment = named_or_local(body.environment)?;
    let files = flumen_control::VersionFiles { source, pyflink };
    let id = api.control.add_version(&principal, body.version, &environment, files, key).await?;
    translate::accepted(&api, &principal, id).await
}

/// Shows a Flink version.
#[utoipa::path(
    get, path = "/api/v1/versions/{version}", tag = "versions",
    params(("version" = String, Path), VersionQuery),
    responses((status = 200, body = Version))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(version): Path<FlinkVersion>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<Version>, Error> {
    let environment = named_or_local(query.environment)?;
    let rows = api.control.versions().await?;
    let row = rows.into_iter().find(|row| row.version == version && row.environment == environment);
    let row = row.ok_or_else(|| Error::NoVersion {
        version: version.to_string(),
        environment: environment.to_string(),
    })?;
    let jobs = api.control.jobs_of_version(&principal, version, &environment).await?;
    let jobs = jobs.into_iter().map(|(name, base_image)| VersionJob { name, base_image });
    Ok(Json(Version { jobs: jobs.collect(), ..translate::version(row) }))
}

/// Takes a Flink version away that no job uses.
#[utoipa::path(
    delete, path = "/api/v1/versions/{version}", tag = "versions",
    params(("version" = String, Path), VersionQuery),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Path(version): Path<FlinkVersion>,
    Query(query): Query<VersionQuery>,
) -> Result<StatusCode, Error> {
    let environment = named_or_local(query.environment)?;
    api.control.remove_version(version, &environment).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn absolute(field: &'static str, text: String) -> Result<PathBuf, Error> {
    let directory = PathBuf::from(&text);
    if !directory.is_absolute() {
        let allowed = "expected an absolute path on the server's machine";
        return Err(InvalidValue::new(field, text, allowed).into());
    }
    Ok(directory)
}

fn named_or_local(environment: Option<EnvironmentName>) -> Result<EnvironmentName, Error> {
    environment.map_or_else(|| Ok("local".parse()?), Ok)
}
