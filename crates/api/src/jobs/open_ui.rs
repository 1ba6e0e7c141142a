use axum::{Json, extract::State};
use flumen_api_types::UiLink;

use crate::{
    error::Error,
    extract::{Caller, JobPath, Path},
    state::Api,
};

/// Makes a link that opens Flink's web UI of a job in one browser, once.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/jobs/{job}/ui", tag = "jobs",
    params(("environment" = String, Path), ("job" = String, Path)),
    responses((status = 200, body = UiLink))
)]
pub(crate) async fn open_ui(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(JobPath { environment, job }): Path<JobPath>,
) -> Result<Json<UiLink>, Error> {
    let (code, expires_at) = api.control.open_ui(&principal, &environment, &job).await?;
    let url = format!("{}/open/{code}", api.settings.ui_origin.trim_end_matches('/'));
    Ok(Json(UiLink { url, expires_at }))
}
