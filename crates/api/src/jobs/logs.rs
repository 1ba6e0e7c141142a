use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use flumen_api_types::LogsQuery;
use flumen_control::LogSource;
use futures::StreamExt as _;

use crate::{
    error::Error,
    extract::{Caller, JobPath, Path, Query},
    state::Api,
};

/// Sends a log of a job as it comes: from the pods while they stand, from saved files afterwards.
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/jobs/{job}/logs", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), LogsQuery),
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(crate) async fn logs(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(JobPath { environment, job }): Path<JobPath>,
    Query(query): Query<LogsQuery>,
) -> Result<Response, Error> {
    let source = match query.container.as_deref() {
        None | Some("jobmanager") => LogSource::JobManager,
        Some("taskmanager") => LogSource::TaskManagers,
        Some(pod) => LogSource::Pod(pod.to_owned()),
    };
    let query = flumen_control::LogsQuery {
        run: query.run,
        source,
        follow: query.follow,
        tail_lines: query.tail.map(|lines| u32::try_from(lines).unwrap_or(u32::MAX)),
    };
    let log = api.control.logs(&principal, (&environment, &job), query).await?;
    let log = log.take_until(api.stop.cancelled_owned());
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from_stream(log))
        .into_response())
}
