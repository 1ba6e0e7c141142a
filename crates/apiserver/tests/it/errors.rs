//! What clients are told when a request fails.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn config_map(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

/// Method, path and body of a request, then code, reason and the beginning of the message of its answer.
type Case<'a> = (Method, &'a str, Value, u16, &'a str, &'a str);

async fn check(cluster: &Cluster, cases: impl IntoIterator<Item = Case<'_>>) {
    for (method, path, body, code, reason, message) in cases {
        let (status, answer) = cluster.call(method.clone(), path, &body).await;
        let said = answer["message"].as_str().unwrap_or_default();
        assert!(said.starts_with(message), "{method} {path}: {answer}");
        assert_eq!(status.as_u16(), code, "{method} {path}: {answer}");
        assert_eq!(answer["code"], code);
        assert_eq!(answer["reason"].as_str().unwrap_or_default(), reason);
        assert_eq!((&answer["kind"], &answer["status"]), (&json!("Status"), &json!("Failure")));
    }
}

#[tokio::test]
async fn what_is_missing_there_already_or_newer_is_told_in_the_words_of_the_real_server() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, CONFIG_MAPS, &config_map("a")).await;
    let a = format!("{CONFIG_MAPS}/a");
    let put = json!({"metadata": {"name": "a", "resourceVersion": "1"}, "data": {"x": "y"}});
    let patch = json!({"metadata": {"resourceVersion": "1"}});
    let deployment = "/apis/apps/v1/namespaces/default/deployments/x";
    let modified = "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again";
    let uid = "Operation cannot be fulfilled on ConfigMap \"a\": the UID in the precondition (u) does not match the UID in record (";
    let precondition = json!({"preconditions": {"uid": "u"}});
    let nothing = Value::Null;
    check(
        &cluster,
        [
            (
                Method::GET,
                "/api/v1/nodes/x",
                nothing.clone(),
                404,
                "NotFound",
                "nodes \"x\" not found",
            ),
            (
                Method::DELETE,
                deployment,
                nothing,
                404,
                "NotFound",
                "deployments.apps \"x\" not found",
            ),
            (
                Method::POST,
                CONFIG_MAPS,
                config_map("a"),
                409,
                "AlreadyExists",
                "configmaps \"a\" already exists",
            ),
            (Method::PUT, &a, put, 409, "Conflict", modified),
            (Method::PATCH, &a, patch, 409, "Conflict", modified),
            (Method::DELETE, &a, precondition, 409, "Conflict", uid),
        ],
    )
    .await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_told_in_the_words_of_the_real_server() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, CONFIG_MAPS, &config_map("a")).await;
    let a = format!("{CONFIG_MAPS}/a");
    let no_namespace = "/api/v1/namespaces/none/configmaps";
    let not_allowed = "the server does not allow this method on the requested resource";
    let other_name = "the name of the object (b) does not match the name on the URL (a)";
    let other_namespace =
        "the namespace of the provided object does not match the namespace sent on the request";
    let other_version =
        "the API version in the data (apps/v1) does not match the expected API version (v1)";
    let no_name = "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required";
    let revision = "resourceVersion should not be set on objects to be created";
    let elsewhere = json!({"metadata": {"name": "b", "namespace": "c"}});
    let newer = json!({"apiVersion": "apps/v1", "metadata": {"name": "b"}});
    let numbered = json!({"metadata": {"name": "b", "resourceVersion": "3"}});
    let unnamed = json!({"metadata": {}});
    check(
        &cluster,
        [
            (
                Method::POST,
                no_namespace,
                config_map("a"),
                404,
                "NotFound",
                "namespaces \"none\" not found",
            ),
            (Method::POST, &a, config_map("a"), 405, "MethodNotAllowed", not_allowed),
            (Method::PUT, CONFIG_MAPS, config_map("a"), 405, "MethodNotAllowed", not_allowed),
            (Method::PUT, &a, config_map("b"), 400, "BadRequest", other_name),
            (Method::POST, CONFIG_MAPS, elsewhere, 400, "BadRequest", other_namespace),
            (Method::POST, CONFIG_MAPS, newer, 400, "BadRequest", other_version),
            (Method::POST, CONFIG_MAPS, unnamed, 422, "Invalid", no_name),
            (Method::POST, CONFIG_MAPS, numbered, 500, "", revision),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_invalid_object_is_refused_with_every_cause() {
    let cluster = Cluster::start().await;
    let deployment = json!({
        "metadata": {"name": "a"},
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {
            "metadata": {"labels": {"app": "y"}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "Bad", "image": ""}]}
        }}
    });
    let (status, answer) = cluster
        .call(Method::POST, "/apis/apps/v1/namespaces/default/deployments", &deployment)
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let causes = answer["details"]["causes"].as_array().unwrap();
    let fields: Vec<&str> = causes.iter().map(|cause| cause["field"].as_str().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "spec.template.metadata.labels",
            "spec.template.spec.containers[0].name",
            "spec.template.spec.containers[0].image",
            "spec.template.spec.restartPolicy",
        ]
    );
    assert_eq!(answer["details"]["group"], "apps");
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .starts_with("Deployment.apps \"a\" is invalid: [spec.template")
    );
}

#[tokio::test]
async fn what_the_server_does_not_have_is_no_path() {
    let cluster = Cluster::start().await;
    for path in ["/metrics", "/apis/batch/v1/jobs"] {
        let (status, answer) = cluster.get(path).await;
        assert_eq!((status, answer), (StatusCode::NOT_FOUND, Value::Null), "{path}");
        let (status, answer) = cluster.call(Method::POST, path, &json!({})).await;
        assert_eq!((status, answer), (StatusCode::NOT_FOUND, Value::Null), "{path}");
    }
    // Below a group that is here, it is the group that answers.
    for path in ["/api/v1/namespaces/default/widgets", "/apis/apps/v1beta1/deployments"] {
        let (status, answer) = cluster.get(path).await;
        let message = "the server could not find the requested resource";
        assert_eq!(
            (status, &answer["message"]),
            (StatusCode::NOT_FOUND, &json!(message)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn bodies_and_answers_in_other_forms_are_refused() {
    let cluster = Cluster::start().await;
    let request = |method: Method, name: &str, value: &str, body: String| {
        let path = if method == Method::PATCH {
            format!("{CONFIG_MAPS}/kube-root-ca.crt")
        } else {
            CONFIG_MAPS.to_owned()
        };
        http::Request::builder()
            .method(method)
            .uri(path)
            .header(name, value)
            .body(axum::body::Body::from(body))
            .unwrap()
    };
    let protobuf = "application/vnd.kubernetes.protobuf";
    for (sent, expected) in [
        (request(Method::POST, "content-type", "text/plain", "x".into()), 415),
        (request(Method::PATCH, "content-type", "application/json", "{}".into()), 415),
        (request(Method::GET, "accept", "text/html", String::new()), 406),
        (request(Method::GET, "accept", protobuf, String::new()), 406),
        (request(Method::POST, "content-type", "application/json", "{".into()), 400),
        (request(Method::POST, "content-type", "application/json", " ".repeat(4 << 20)), 413),
        (request(Method::PATCH, "content-type", "application/apply-patch+yaml", "{}".into()), 422),
    ] {
        let what = format!("{sent:?}");
        assert_eq!(cluster.send(sent).await.0.as_u16(), expected, "{what:.200}");
    }
}

#[tokio::test]
async fn unknown_fields_are_dropped_or_refused_as_the_client_wants_it() {
    let cluster = Cluster::start().await;
    let object = json!({"metadata": {"name": "a"}, "data": {"x": "y"}, "dat": 1});
    let (status, answer) =
        cluster.call(Method::POST, &format!("{CONFIG_MAPS}?fieldValidation=Strict"), &object).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .ends_with("strict decoding error: unknown field \"dat\""),
        "{answer}"
    );
    let made = cluster.must(Method::POST, CONFIG_MAPS, &object).await;
    assert_eq!(made.get("dat"), None);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_does_nothing() {
    let cluster = Cluster::start().await;
    let made =
        cluster.must(Method::POST, &format!("{CONFIG_MAPS}?dryRun=All"), &config_map("a")).await;
    assert!(made["metadata"]["uid"].is_string());
    assert_eq!(cluster.get(&format!("{CONFIG_MAPS}/a")).await.0, StatusCode::NOT_FOUND);
    cluster.must(Method::POST, CONFIG_MAPS, &config_map("a")).await;
    let path = format!("{CONFIG_MAPS}/a?dryRun=All");
    let patched = cluster.must(Method::PATCH, &path, &json!({"data": {"x": "y"}})).await;
    assert_eq!(patched["data"]["x"], "y");
    cluster.must(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(cluster.get(&format!("{CONFIG_MAPS}/a")).await.1.get("data"), None);
}
