use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use flumen_control::Control;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use crate::{
    Settings, artifacts, boundary::boundary, clusters, document, environments,
    extract::authenticate, jobs, operations, projects, removals, server, snapshots, sql,
    state::Api, versions,
};

/// The API. `stop` ends its streams, so that the server can stop.
pub fn router(control: Control, settings: Settings, stop: CancellationToken) -> Router {
    let api = Api { control, settings: Arc::new(settings), stop };
    let open = open().split_for_parts().0;
    let guarded = guarded().split_for_parts().0;
    let guarded = guarded.route_layer(middleware::from_fn_with_state(api.clone(), authenticate));
    open.merge(guarded)
        .merge(document::route())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(boundary))
        .with_state(api)
}

/// What anybody may ask.
pub(crate) fn open() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(document::head())
        .routes(routes!(server::health))
        // The signature of the link is what opens it.
        .routes(routes!(artifacts::content))
}

/// What needs a token.
pub(crate) fn guarded() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(server::version))
        .routes(routes!(artifacts::exists))
        .routes(routes!(artifacts::upload))
        .routes(routes!(artifacts::go_on))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show, jobs::apply, jobs::delete))
        .routes(routes!(jobs::start))
        .routes(routes!(jobs::stop))
        .routes(routes!(jobs::savepoint))
        .routes(routes!(jobs::restart))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::diff))
        .routes(routes!(jobs::runs))
        .routes(routes!(jobs::releases))
        .routes(routes!(jobs::release))
        .routes(routes!(jobs::release_diff))
        .routes(routes!(jobs::release_sbom))
        .routes(routes!(jobs::roll_back))
        .routes(routes!(jobs::events))
        .routes(routes!(jobs::logs))
        .routes(routes!(jobs::open_ui))
        .routes(routes!(operations::list))
        .routes(routes!(operations::show))
        .routes(routes!(operations::follow))
        .routes(routes!(operations::cancel))
        .routes(routes!(projects::list))
        .routes(routes!(projects::show, projects::save, projects::delete))
        .routes(routes!(projects::builds, projects::build))
        .routes(routes!(projects::log))
        .routes(routes!(snapshots::list))
        .routes(routes!(snapshots::show))
        .routes(routes!(removals::list, removals::prune))
        .routes(routes!(sql::explain).layer(DefaultBodyLimit::max(sql::MAX_REQUEST)))
        .routes(routes!(environments::list))
        .routes(routes!(environments::show, environments::save))
        .routes(routes!(environments::check))
        .routes(routes!(clusters::list, clusters::add))
        .routes(routes!(clusters::show, clusters::edit, clusters::remove))
        .routes(routes!(clusters::check))
        .routes(routes!(clusters::needs))
        .routes(routes!(versions::list, versions::add))
        .routes(routes!(versions::show, versions::remove))
}
