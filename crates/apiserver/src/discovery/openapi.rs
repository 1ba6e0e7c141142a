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
pub(crate) fn v2(registry: &'static Registry, accept: &str) -> (&'static str, Vec<u8>) {
    if accept.contains("proto-openapi") {
        return (V2_PROTOBUF, v2_protobuf(registry));
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

/// The document as old versions of `kubectl` read it, to see whether a patch can be tried by `dryRun`.
/// The numbers are those of the messages in `OpenAPIv2.proto` of gnostic.
fn v2_protobuf(registry: &'static Registry) -> Vec<u8> {
    const DOCUMENT_SWAGGER: u8 = 1;
    const DOCUMENT_PATHS: u8 = 8;
    const PATHS_PATH: u8 = 2;
    const PATH_ITEM_PATCH: u8 = 8;
    const OPERATION_PARAMETERS: u8 = 8;
    const OPERATION_EXTENSION: u8 = 13;
    const QUERY_NAME: u8 = 4;
    let mut paths = Vec::new();
    for resource in registry.all() {
        let query_parameter = field(QUERY_NAME, b"dryRun");
        // Item, parameter, not in the body, in the query: each is one of several alternatives.
        let parameter = field(1, &field(2, &field(3, &query_parameter)));
        let kind =
            json!({"group": resource.group, "version": resource.version, "kind": resource.kind});
        let extension = [
            field(1, b"x-kubernetes-group-version-kind"),
            // JSON is YAML.
            field(2, &field(2, kind.to_string().as_bytes())),
        ]
        .concat();
        let operation =
            [field(OPERATION_PARAMETERS, &parameter), field(OPERATION_EXTENSION, &extension)]
                .concat();
        let name = format!("/{}/{}/{{name}}", place(resource), resource.plural);
        let path =
            [field(1, name.as_bytes()), field(2, &field(PATH_ITEM_PATCH, &operation))].concat();
        paths.extend(field(PATHS_PATH, &path));
    }
    [field(DOCUMENT_SWAGGER, b"2.0"), field(DOCUMENT_PATHS, &paths)].concat()
}

/// A field of a protobuf message that holds bytes, a text or another message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            break;
        }
        bytes.push(low | 0x80);
    }
    bytes.extend_from_slice(content);
    bytes
}
