use axum::{Json, extract::State};
use flumen_api_types::{Health, ServerVersion};

use crate::state::Api;

/// Says that the server is up.
#[utoipa::path(get, path = "/healthz", tag = "server", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok".to_owned() })
}

/// Which server answers.
#[utoipa::path(get, path = "/api/v1/version", tag = "server", responses((status = 200, body = ServerVersion)))]
pub(crate) async fn version(State(api): State<Api>) -> Json<ServerVersion> {
    Json(ServerVersion {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version: "v1".to_owned(),
        data_directory: Some(api.settings.data_directory.display().to_string()),
    })
}
