use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use kube::ResourceExt as _;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, until};

fn service(spec: &Value) -> Value {
    json!({"metadata": {"name": "s", "labels": {"team": "t"}}, "spec": spec})
}

fn web() -> Value {
    json!({"metadata": {"name": "p", "labels": {"app": "web"}}, "spec": {"containers": [
        {"name": "c", "image": "a", "ports": [{"name": "rest", "containerPort": 8081}]}]}})
}

/// `ready|not ready:ports` of the first subset.
fn summary(found: Option<&Endpoints>) -> String {
    let Some(subset) = found.and_then(|found| found.subsets.as_ref()?.first()) else {
        return "none".to_owned();
    };
    let count = |list: Option<&Vec<_>>| list.map_or(0, Vec::len);
    let ports: Vec<String> =
        subset.ports.iter().flatten().map(|port| port.port.to_string()).collect();
    format!(
        "{}|{}:{}",
        count(subset.addresses.as_ref()),
        count(subset.not_ready_addresses.as_ref()),
        ports.join(",")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_follow_pods_and_go_with_the_service() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    let endpoints = cluster.api::<Endpoints>();
    cluster
        .create::<Service>(service(
            &json!({"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "rest"}]}),
        ))
        .await;
    until(&endpoints, "s", |found: Option<&Endpoints>| found.is_some() && summary(found) == "none")
        .await;
    cluster.create::<Pod>(web()).await;
    let found = until(&endpoints, "s", |found: Option<&Endpoints>| summary(found) == "1|0:8081")
        .await
        .expect("endpoints");
    assert_eq!(found.labels().get("team").map(String::as_str), Some("t"));
    let address =
        &found.subsets.as_ref().expect("subsets")[0].addresses.as_ref().expect("addresses")[0];
    assert_eq!(address.target_ref.as_ref().and_then(|target| target.name.as_deref()), Some("p"));
    let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    cluster
        .api::<Pod>()
        .patch_status("p", &PatchParams::default(), &Patch::Merge(unready))
        .await
        .expect("status");
    until(&endpoints, "s", |found: Option<&Endpoints>| summary(found) == "0|1:8081").await;
    cluster.api::<Pod>().delete("p", &DeleteParams::default()).await.expect("deleted");
    until(&endpoints, "s", |found: Option<&Endpoints>| summary(found) == "none").await;
    cluster.api::<Service>().delete("s", &DeleteParams::default()).await.expect("deleted");
    until(&endpoints, "s", |found: Option<&Endpoints>| found.is_none()).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_keeps_is_not_touched() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    let endpoints = cluster.api::<Endpoints>();
    cluster.create::<Service>(service(&json!({"ports": [{"port": 80}]}))).await;
    cluster.create::<Endpoints>(json!({"metadata": {"name": "s"}, "subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}]})).await;
    // A second service that the controller does keep shows that it has had its chance.
    cluster.create::<Service>(json!({"metadata": {"name": "t"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})).await;
    until(&endpoints, "t", |found: Option<&Endpoints>| found.is_some()).await;
    assert_eq!(summary(endpoints.get_opt("s").await.expect("get").as_ref()), "1|0:80");
    assert!(endpoints.get_opt("kubernetes").await.expect("get").is_some());
    cluster.stop().await;
}
