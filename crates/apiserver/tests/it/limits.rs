//! What is too large: the answer is the real server's, and the server goes on.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn json_patch(cluster: &Cluster, path: &str, operations: &Value) -> (StatusCode, Value) {
    let request = Request::patch(path)
        .header("content-type", "application/json-patch+json")
        .body(Body::from(operations.to_string()))
        .unwrap();
    cluster.send(request).await
}

/// Sends a patch that the real server refuses without a word of why, to an object and to a scale.
async fn assert_unprocessable(operations: &Value) {
    let cluster = Cluster::start().await;
    let object = format!("{CONFIG_MAPS}/a");
    cluster.must(Method::POST, CONFIG_MAPS, &json!({"metadata": {"name": "a"}})).await;
    let labels = json!({"a": "b"});
    let deployment = json!({"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": labels}, "template": {
        "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    cluster.must(Method::POST, deployments, &deployment).await;
    for path in [object, format!("{deployments}/d/scale")] {
        let (status, answer) = json_patch(&cluster, &path, operations).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {answer}");
        let message = "the server rejected our request due to an error in our request";
        assert_eq!(answer["message"], message);
    }
}

#[tokio::test]
async fn a_patch_that_copies_an_object_into_its_own_depth_is_refused() {
    let mut operations = vec![json!({"op": "add", "path": "/x", "value": {"x": {}}})];
    let mut inside = "/x".to_owned();
    for _ in 0..20 {
        inside = format!("{inside}{inside}");
        operations.push(json!({"op": "copy", "from": "/x", "path": inside}));
        if inside.len() > 100_000 {
            break;
        }
    }
    assert_unprocessable(&operations.into()).await;
}

#[tokio::test]
async fn a_patch_that_copies_too_much_is_refused() {
    let mut operations = vec![json!({"op": "add", "path": "/x", "value": {"x": "y".repeat(1000)}})];
    for number in 0..17 {
        operations.push(json!({"op": "copy", "from": "/x", "path": format!("/x/{number}")}));
    }
    operations.push(json!({"op": "remove", "path": "/x"}));
    assert_unprocessable(&operations.into()).await;
}

#[tokio::test]
async fn a_patch_has_at_most_ten_thousand_operations() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, CONFIG_MAPS, &json!({"metadata": {"name": "a"}})).await;
    let operation = json!({"op": "add", "path": "/data", "value": {}});
    let path = format!("{CONFIG_MAPS}/a");
    let (status, answer) = json_patch(&cluster, &path, &json!(vec![&operation; 10_000])).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, answer) = json_patch(&cluster, &path, &json!(vec![&operation; 10_001])).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let message = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001";
    assert_eq!(answer["message"], message);
    assert_eq!(answer["reason"], "RequestEntityTooLarge");
}

/// A service account may be as large as the server stores it.
fn account(name: &str, secrets: usize) -> Value {
    let secret = json!({"name": "s".repeat(10_000)});
    json!({"metadata": {"name": name}, "secrets": vec![secret; secrets]})
}

#[tokio::test]
async fn an_object_that_is_too_large_is_not_stored() {
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    let cluster = Cluster::start().await;
    let made = cluster.must(Method::POST, accounts, &account("a", 140)).await;
    assert!(made["metadata"]["managedFields"].is_array());
    // Just small enough when the managers of its fields are forgotten.
    let made = cluster.must(Method::POST, accounts, &account("c", 157)).await;
    assert_eq!(made["metadata"]["managedFields"], Value::Null);
    let refused = |(status, answer): &(StatusCode, Value)| {
        assert_eq!(*status, StatusCode::INTERNAL_SERVER_ERROR, "{answer}");
        assert_eq!(answer["message"], "etcdserver: request is too large");
        assert_eq!((&answer["reason"], &answer["details"]), (&Value::Null, &Value::Null));
    };
    refused(&cluster.call(Method::POST, accounts, &account("b", 160)).await);
    let path = format!("{accounts}/a");
    refused(&cluster.call(Method::PUT, &path, &account("a", 160)).await);
    refused(&cluster.call(Method::PATCH, &path, &account("a", 160)).await);
    let (status, _) = cluster.get(&format!("{accounts}/b")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, stored) = cluster.get(&path).await;
    assert_eq!(stored["secrets"].as_array().unwrap().len(), 140);
}
