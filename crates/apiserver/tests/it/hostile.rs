//! Bodies that make no sense: the answer is a refusal, never a failure of the server.

use axum::body::Body;
use http::{Method, Request};
use proptest::{
    collection::{btree_map, vec},
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::harness::Cluster;

const BODIES: usize = 1500;

/// Names that mean something to the server, so that nonsense gets past its first look.
const NAMES: [&str; 34] = [
    "metadata",
    "name",
    "generateName",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "uid",
    "resourceVersion",
    "managedFields",
    "deletionTimestamp",
    "spec",
    "status",
    "containers",
    "ports",
    "env",
    "volumes",
    "selector",
    "matchLabels",
    "template",
    "replicas",
    "clusterIP",
    "clusterIPs",
    "type",
    "data",
    "subsets",
    "addresses",
    "conditions",
    "resources",
    "limits",
    "op",
    "path",
    "$patch",
    "$setElementOrder/containers",
];

fn nonsense() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        select(
            &[
                "",
                "a",
                "NodePort",
                "None",
                "10.96.0.9",
                "replace",
                "/metadata",
                "2026-01-02T03:04:05Z"
            ][..]
        )
        .prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(select(&NAMES[..]), inner, 0..6).prop_map(|map| Value::Object(
                map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
    .boxed()
}

async fn objects(cluster: &Cluster) -> Vec<(&'static str, &'static str)> {
    let pod = json!({"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 1}]}]});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod});
    let deployment = json!({"selector": {"matchLabels": {"a": "b"}}, "template": template});
    let kinds = [
        ("/api/v1/namespaces/default/pods", "pods", json!({"spec": pod})),
        (
            "/api/v1/namespaces/default/services",
            "services",
            json!({"spec": {"ports": [{"port": 1}]}}),
        ),
        ("/api/v1/namespaces/default/configmaps", "configmaps", json!({"data": {"a": "b"}})),
        ("/api/v1/namespaces/default/endpoints", "endpoints", json!({})),
        ("/api/v1/nodes", "nodes", json!({})),
        (
            "/apis/apps/v1/namespaces/default/deployments",
            "deployments",
            json!({"spec": deployment}),
        ),
    ];
    let mut made = Vec::new();
    for (path, plural, mut object) in kinds {
        object["metadata"] = json!({"name": "a"});
        cluster.must(Method::POST, path, &object).await;
        made.push((path, plural));
    }
    made
}

#[tokio::test]
async fn no_body_makes_the_server_fail() {
    let cluster = Cluster::start().await;
    let kinds = objects(&cluster).await;
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let requests = (select(kinds), 0..9usize, nonsense());
    for _ in 0..BODIES {
        let ((collection, plural), form, body) = requests.new_tree(&mut runner).unwrap().current();
        let (method, path, kind) = match form {
            0 => (Method::POST, collection.to_owned(), "application/json"),
            1 => (Method::PUT, format!("{collection}/a"), "application/json"),
            2 => (Method::PATCH, format!("{collection}/a"), "application/merge-patch+json"),
            3 => {
                (Method::PATCH, format!("{collection}/a"), "application/strategic-merge-patch+json")
            }
            4 => (Method::PATCH, format!("{collection}/a"), "application/json-patch+json"),
            5 => (
                Method::PATCH,
                format!("{collection}/a?fieldManager=m&force=true"),
                "application/apply-patch+yaml",
            ),
            6 => (Method::PATCH, format!("{collection}/a/status"), "application/merge-patch+json"),
            7 if plural == "pods" => {
                (Method::POST, format!("{collection}/a/binding"), "application/json")
            }
            7 => (Method::PUT, format!("{collection}/a/scale"), "application/json"),
            _ => (Method::DELETE, format!("{collection}/none"), "application/json"),
        };
        let request =
            Request::builder().method(method.clone()).uri(&path).header("content-type", kind);
        let (status, answer) =
            cluster.send(request.body(Body::from(body.to_string())).unwrap()).await;
        // Some mistakes of clients get 500 from the real server, too, but then without a reason.
        let ours = status.is_server_error() && answer.get("reason").is_some();
        assert!(!ours, "{method} {path} {body}: {answer}");
    }
}
