//! A cluster that ends, in whatever way, and comes back.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, LogParams};
use serde_json::json;

use crate::cluster::{Cluster, eventually, until};
use crate::pods::{deployment, is_ready, once, phase};

fn restarts(pod: &Pod) -> i32 {
    pod.status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten())
        .map(|container| container.restart_count)
        .sum()
}

async fn with_workload() -> Cluster {
    let cluster = Cluster::start().await;
    cluster.create::<ConfigMap>(json!({"metadata": {"name": "kept"}, "data": {"a": "b"}})).await;
    cluster
        .create::<Deployment>(deployment(&cluster, "d", 1, "echo started; exec sleep 1000"))
        .await;
    cluster.create::<Pod>(once(&cluster, "done", "true")).await;
    let pods = cluster.api::<Pod>();
    until(&pods, "done", |found: Option<&Pod>| phase(found) == "Succeeded").await;
    until(&cluster.api::<Deployment>(), "d", |found: Option<&Deployment>| {
        found.and_then(|found| found.status.as_ref()?.available_replicas) == Some(1)
    })
    .await;
    cluster
}

async fn comes_back(cluster: &Cluster) {
    assert_eq!(
        cluster.api::<ConfigMap>().get("kept").await.expect("kept").data,
        Some([("a".to_owned(), "b".to_owned())].into())
    );
    let pods = cluster.api::<Pod>();
    eventually("the pod of the Deployment running again", async || {
        let list = pods.list(&ListParams::default().labels("app=d")).await.expect("pods").items;
        list.into_iter().find(|pod| {
            is_ready(Some(pod)) && pod.metadata.deletion_timestamp.is_none() && restarts(pod) > 0
        })
    })
    .await;
    let done = pods.get("done").await.expect("done");
    assert_eq!(
        (phase(Some(&done)), restarts(&done)),
        ("Succeeded", 0),
        "what ended well is not run again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_come_back_after_a_crash() {
    let place = with_workload().await.crash().await;
    let cluster = place.start().await;
    comes_back(&cluster).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_come_back_after_a_stop() {
    let place = with_workload().await.stop().await;
    let cluster = place.start().await;
    comes_back(&cluster).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_being_killed_again_and_again() {
    let mut cluster = Cluster::start().await;
    cluster.create::<Deployment>(deployment(&cluster, "d", 3, "exec sleep 1000")).await;
    for round in 0..5 {
        // Each life ends as soon as this write is acknowledged, whatever else is going on.
        cluster.create::<ConfigMap>(json!({"metadata": {"name": format!("kept-{round}")}})).await;
        cluster = cluster.crash().await.start().await;
    }
    let maps = cluster.api::<ConfigMap>().list(&ListParams::default()).await.expect("maps").items;
    assert_eq!(maps.iter().filter(|map| map.name_any().starts_with("kept-")).count(), 5);
    let available = |found: Option<&Deployment>| {
        found.and_then(|found| found.status.as_ref()?.available_replicas) == Some(3)
    };
    until(&cluster.api::<Deployment>(), "d", available).await;
    let pods = cluster.api::<Pod>();
    eventually("three ready pods and no other", async || {
        let list = pods.list(&ListParams::default()).await.expect("pods").items;
        (list.len() == 3 && list.iter().all(|pod| is_ready(Some(pod)))).then_some(())
    })
    .await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_those_who_watch() {
    let cluster = with_workload().await;
    let request = http::Request::get("/api/v1/pods?watch=true").body(Vec::new()).expect("request");
    let _watching = cluster.client.request_stream(request).await.expect("watch");
    let pod = cluster
        .api::<Pod>()
        .list(&ListParams::default().labels("app=d"))
        .await
        .expect("pods")
        .items
        .remove(0);
    let follow = LogParams { follow: true, ..LogParams::default() };
    let _following = cluster.api::<Pod>().log_stream(&pod.name_any(), &follow).await.expect("log");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_all_pods_ends_the_cluster_with_the_reason() {
    let cluster = with_workload().await;
    let said = cluster.lose_pods().await;
    assert!(said.contains("the pod supervisor ended unexpectedly"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_cluster_has_a_ready_node_and_a_private_kubeconfig() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::start().await;
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let node = nodes.get("local").await.expect("node");
    let status = node.status.expect("status");
    assert!(
        status
            .conditions
            .iter()
            .flatten()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    );
    let allocatable = status.allocatable.expect("allocatable");
    for resource in ["cpu", "memory", "pods"] {
        assert!(allocatable.contains_key(resource), "{allocatable:?}");
    }
    let mode = cluster.kubeconfig.metadata().expect("kubeconfig").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let stranger =
        reqwest::Client::builder().danger_accept_invalid_certs(true).build().expect("client");
    let refused =
        stranger.get(format!("{}/api/v1/pods", cluster.url)).send().await.expect("answer");
    assert_eq!(refused.status(), 403);
    cluster.stop().await;
}
