//! Bodies that are large, or say more than they may.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const PODS: &str = "/api/v1/namespaces/default/pods";

#[tokio::test]
async fn a_pod_with_very_many_variables_is_made_and_changed_in_moments() {
    let cluster = Cluster::start().await;
    let variables: Vec<Value> =
        (0..60_000).map(|number| json!({"name": format!("E{number}")})).collect();
    let mounts = json!([{"name": "none", "mountPath": "/a"}]);
    let container = |mounts: &Value| json!({"name": "c", "image": "i", "env": variables, "volumeMounts": mounts});
    let pod =
        |containers: Value| json!({"metadata": {"name": "a"}, "spec": {"containers": containers}});
    // Where each is compared with all others, this is not over for minutes.
    let (status, _) = cluster.call(Method::POST, PODS, &pod(json!([container(&mounts)]))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    cluster.must(Method::POST, PODS, &pod(json!([container(&json!([]))]))).await;
    cluster
        .must(Method::PATCH, &format!("{PODS}/a"), &json!({"metadata": {"labels": {"a": "b"}}}))
        .await;
}

#[tokio::test]
async fn a_status_brings_nothing_else_with_it() {
    let cluster = Cluster::start().await;
    let made =
        cluster.must(Method::POST, "/api/v1/nodes", &json!({"metadata": {"name": "n"}})).await;
    let mut sent = made.clone();
    sent["spec"] = json!({"unschedulable": true});
    sent["status"]["phase"] = "Running".into();
    let told = cluster.must(Method::PUT, "/api/v1/nodes/n/status", &sent).await;
    assert_eq!(told["status"]["phase"], "Running");
    assert_eq!(told["spec"].get("unschedulable"), None);
    let path = "/api/v1/namespaces/default/resourcequotas";
    cluster.must(Method::POST, path, &json!({"metadata": {"name": "q"}})).await;
    let sent = json!({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}, "status": {"hard": {"pods": "2"}}});
    let told = cluster.must(Method::PUT, &format!("{path}/q/status"), &sent).await;
    assert_eq!((&told["spec"].get("hard"), &told["status"]["hard"]["pods"]), (&None, &json!("2")));
}

#[tokio::test]
async fn what_a_binding_cannot_say_is_not_stored() {
    let cluster = Cluster::start().await;
    let pod =
        json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    cluster.must(Method::POST, PODS, &pod).await;
    let mut deep = json!("x");
    for _ in 0..120 {
        deep = json!([deep]);
    }
    let binding =
        json!({"metadata": {"name": "a", "annotations": {"deep": deep}}, "target": {"name": "n"}});
    let (status, _) = cluster.call(Method::POST, &format!("{PODS}/a/binding"), &binding).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (_, pod) = cluster.get(&format!("{PODS}/a")).await;
    assert_eq!((pod["spec"].get("nodeName"), pod["metadata"].get("annotations")), (None, None));
}
