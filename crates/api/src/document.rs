//! The OpenAPI document, made from the handlers.

use axum::{Router, http::header, response::IntoResponse as _, routing};
use utoipa::{
    OpenApi,
    openapi::{
        OpenApi as Document, PathItem, RefOr,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::{routes, state::Api};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Flumen",
        description = "Run Apache Flink jobs on Kubernetes. Errors are application/problem+json with a stable code; lists come in pages; v1 changes only by addition.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(flumen_api_types::Problem)),
    security(("token" = [])),
)]
struct Head;

pub(crate) fn head() -> Document {
    let mut document = Head::openapi();
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(scheme));
    document
}

/// The whole document.
pub fn document() -> Document {
    let router: OpenApiRouter<Api> = routes::open().merge(routes::guarded());
    let mut document = router.into_openapi();
    "v1".clone_into(&mut document.info.version);
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            operation.responses.responses.entry("default".to_owned()).or_insert_with(refusal);
            // Handlers are named in their modules; in the document they stand side by side.
            let tag = operation.tags.as_ref().and_then(|tags| tags.first());
            if let (Some(tag), Some(id)) = (tag, &operation.operation_id) {
                operation.operation_id = Some(format!("{tag}_{id}"));
            }
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    let PathItem { get, put, post, delete, head, patch, .. } = item;
    [get, put, post, delete, head, patch].into_iter().filter_map(Option::as_mut)
}

fn refusal() -> RefOr<utoipa::openapi::Response> {
    let schema = utoipa::openapi::Ref::from_schema_name("Problem");
    let content = utoipa::openapi::ContentBuilder::new().schema(Some(schema)).build();
    utoipa::openapi::ResponseBuilder::new()
        .description("It failed, and why")
        .content("application/problem+json", content)
        .build()
        .into()
}

pub(crate) fn route() -> Router<Api> {
    let text = serde_json::to_string(&document()).unwrap_or_default();
    let send =
        move || async move { ([(header::CONTENT_TYPE, "application/json")], text).into_response() };
    Router::new().route("/api/v1/openapi.json", routing::get(send))
}
