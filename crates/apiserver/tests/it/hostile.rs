//! Bodies that make no sense: the answer is a refusal, never a failure of the server.

use axum::body::Body;
use futures::FutureExt;
use http::{Method, Request};
use http_body_util::BodyExt;
use proptest::{
    collection::{btree_map, vec},
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::{select, subsequence},
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use tower::ServiceExt;

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

const REQUESTS: usize = 2000;
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "NONSENSE"];
const PATHS: [&str; 16] = [
    "/api/v1/namespaces/default/pods",
    "/api/v1/pods/a/log",
    "/api/v1/namespaces/default/pods/a/status",
    "/api/v1/namespaces/default/pods/a/eviction",
    "/api/v1/namespaces/default/services/a:b/proxy/c",
    "/api/v1/namespaces/default/serviceaccounts/default/token",
    "/api/v1/namespaces/default/configmaps/a",
    "/api/v1/namespaces/default/finalize",
    "/api/v1/watch/namespaces/default/secrets",
    "/apis/apps/v1/namespaces/default/deployments/a/scale",
    "/apis/apps/v1/namespaces/default/replicasets",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/openapi/v3/apis/apps/v1",
    "/api/v1/namespaces/%2e%2e/%ff/%",
    "/readyz",
];
const QUERIES: [&str; 18] = [
    "watch",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "allowWatchBookmarks",
    "labelSelector",
    "fieldSelector",
    "fieldManager",
    "fieldValidation",
    "force",
    "dryRun",
    "gracePeriodSeconds",
    "propagationPolicy",
    "orphanDependents",
    "includeObject",
    "tailLines",
];
const VALUES: [&str; 14] = [
    "true",
    "0",
    "-1",
    "99999999999999999999",
    "All",
    "Exact",
    "Foreground",
    "NotOlderThan",
    "a%3Db%2C!c",
    "a in (b",
    "metadata.name%21%3Dx",
    "eyJydiI6MSwic3RhcnQiOiJhIn0",
    "%00%ff",
    "",
];
const MEDIA_TYPES: [&str; 10] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/json;as=Table;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,*/*;q=0.1",
    ";;=,",
];

/// Requests of which each part is known, but which makes sense only by accident.
fn requests() -> impl Strategy<Value = (&'static str, String, [&'static str; 2], Vec<u8>)> {
    let query = (subsequence(&QUERIES[..], 0..4), vec(select(&VALUES[..]), 4)).prop_map(
        |(names, values)| {
            let pairs = names.iter().zip(values).map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join("&")
        },
    );
    let target = (select(&PATHS[..]), query).prop_map(|(path, query)| format!("{path}?{query}"));
    let body = prop_oneof![
        nonsense().prop_map(|body| body.to_string().into_bytes()),
        vec(any::<u8>(), 0..60),
        vec(any::<u8>(), 0..60).prop_map(|rest| [&b"k8s\0"[..], &rest].concat()),
        "[a-z:{}\\[\\]&*!|>'\" \n-]{0,60}".prop_map(String::into_bytes),
    ];
    let types = [select(&MEDIA_TYPES[..]), select(&MEDIA_TYPES[..])];
    (select(&METHODS[..]), target, types, body)
}

#[tokio::test]
async fn no_request_makes_the_server_fail() {
    let cluster = Cluster::start().await;
    objects(&cluster).await;
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let strategy = requests();
    for _ in 0..REQUESTS {
        let (method, target, [content, accept], body) =
            strategy.new_tree(&mut runner).unwrap().current();
        let request = Request::builder()
            .method(method)
            .uri(&target)
            .header("content-type", content)
            .header("accept", accept)
            .body(Body::from(body.clone()));
        // Not all of it can be a target.
        let Ok(request) = request else { continue };
        let service = cluster.server.in_process("admin", &["system:masters"]);
        let mut answer = service.oneshot(request).await.unwrap();
        let mut text = Vec::new();
        // What has to be waited for is a watch.
        while let Some(Some(Ok(frame))) = answer.body_mut().frame().now_or_never() {
            text.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        }
        let text = String::from_utf8_lossy(&text);
        let body = String::from_utf8_lossy(&body);
        assert!(!text.contains("InternalError"), "{method} {target} {content} {body}: {text}");
    }
}
