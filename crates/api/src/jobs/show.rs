use axum::{extract::State, response::Response};
use flumen_api_types::{Job, JobQuery};

use crate::{
    error::Error,
    extract::{Caller, JobPath, Path, Query, tagged},
    state::Api,
    translate,
};

/// Shows a job with its newest snapshot; with `live=true` also what Flink says of it now.
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/jobs/{job}", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path), JobQuery),
    responses((status = 200, body = Job))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(JobPath { environment, job }): Path<JobPath>,
    Query(query): Query<JobQuery>,
) -> Result<Response, Error> {
    let view = api.control.job(&principal, &environment, &job).await?;
    let snapshots = api.control.snapshots(&principal, Some((&environment, &job)), None, 1).await?;
    let is_in_cluster = !view.state.is_at_rest();
    let mut shown = translate::job(view);
    shown.latest_snapshot = snapshots.into_iter().next().map(translate::snapshot);
    if query.live && is_in_cluster {
        match api.control.live(&principal, &environment, &job).await {
            Ok(live) => shown.live = Some(translate::live(live)),
            // Flink may not be up yet, or be gone just now; the job itself says what is known.
            Err(error) => {
                tracing::debug!(%environment, %job, error = %error, "Flink did not answer");
            }
        }
    }
    Ok(tagged(shown.version, &shown))
}
