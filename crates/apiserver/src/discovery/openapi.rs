//! As much of the OpenAPI documents as `kubectl` reads before it sends an object: which kinds can be patched,
//! and that the server itself refuses fields that it does not know. There are no schemas.

use serde_json::{Map, Value, json};

use crate::resources::{Registry, Resource};

/// `/openapi/v3`: a document for each version of each group.
pub(crate) fn index(registry: &'static Registry) -> Value {
    let mut paths = Map::new();
    for resource in registry.all() {
        let path = place(resource);
        paths.insert(path.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{path}")}));
    }
    json!({"paths": paths})
}

/// What old clients ask `/openapi/v2` for with an `@` in it, which is no letter of a media type.
const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// `/openapi/v2`, the older form, without any types: clients then check nothing and leave it to the server.
/// Returns the media type, too.
pub(crate) fn v2(accept: &str) -> (&'static str, Vec<u8>) {
    if accept.contains("proto-openapi") {
        // One field, `swagger`, with the version of the format.
        return (V2_PROTOBUF, b"\x0a\x032.0".to_vec());
    }
    let document = json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": super::VERSION},
        "paths": {},
        "definitions": {},
    });
    ("application/json", document.to_string().into_bytes())
}

/// `api/v1`, `apis/apps/v1`.
fn place(resource: &Resource) -> String {
    if resource.group.is_empty() {
        format!("api/{}", resource.version)
    } else {
        format!("apis/{}/{}", resource.group, resource.version)
    }
}

/// `/openapi/v3/PLACE`.
pub(crate) fn document(registry: &'static Registry, wanted: &str) -> Option<Value> {
    let mut paths = Map::new();
    for resource in registry.all().filter(|resource| place(resource) == wanted) {
        let scope = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
        let path = format!("/{wanted}{scope}/{}/{{name}}", resource.plural);
        paths.insert(path, json!({"patch": patch_operation(resource)}));
    }
    (!paths.is_empty()).then(|| {
        json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": super::VERSION},
            "paths": paths,
            "components": {"schemas": {}},
        })
    })
}

fn patch_operation(resource: &Resource) -> Value {
    let parameter = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    let parameters = ["dryRun", "fieldManager", "fieldValidation", "force"].map(parameter);
    json!({
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {
            "group": resource.group, "version": resource.version, "kind": resource.kind
        },
    })
}
