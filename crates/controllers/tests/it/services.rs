use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, until, until_all};

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

/// Addresses, ready, serving, terminating of each endpoint of the slices of a service.
fn told(slices: &[EndpointSlice], service: &str) -> Vec<String> {
    let of = |slice: &&EndpointSlice| {
        slice.labels().get("kubernetes.io/service-name").is_some_and(|name| name == service)
    };
    let mut all: Vec<String> = slices
        .iter()
        .filter(of)
        .flat_map(|slice| &slice.endpoints)
        .map(|endpoint| {
            let conditions = endpoint.conditions.clone().unwrap_or_default();
            let flags = [conditions.ready, conditions.serving, conditions.terminating];
            let flags = flags.map(|flag| if flag == Some(true) { "1" } else { "0" });
            format!("{} {}", endpoint.addresses.join(","), flags.concat())
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_follow_pods_and_go_with_the_service() {
    let cluster = Cluster::start().await;
    cluster.add_node("n", "4", "8Gi").await;
    let (slices, pods) = (cluster.api::<EndpointSlice>(), cluster.api::<Pod>());
    cluster
        .create::<Service>(service(
            &json!({"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "rest"}]}),
        ))
        .await;
    let mut pod = web();
    pod["spec"]["nodeName"] = "n".into();
    cluster.create::<Pod>(pod).await;
    let status = |ready: &str| json!({"status": {"phase": "Running", "podIP": "10.244.0.9", "conditions": [{"type": "Ready", "status": ready}]}});
    for (ready, wanted) in [("False", "10.244.0.9 000"), ("True", "10.244.0.9 110")] {
        let body = Patch::Merge(status(ready));
        pods.patch_status("p", &PatchParams::default(), &body).await.expect("status");
        until_all(&slices, |slices| told(slices, "s") == [wanted]).await;
    }
    pods.delete("p", &DeleteParams::default()).await.expect("deleted");
    until_all(&slices, |slices| told(slices, "s") == ["10.244.0.9 011"]).await;
    pods.delete("p", &DeleteParams::default().grace_period(0)).await.expect("ended");
    let of = |slices: &[EndpointSlice]| {
        slices
            .iter()
            .filter(|slice| slice.owner_references().iter().any(|owner| owner.name == "s"))
            .count()
    };
    until_all(&slices, |slices| told(slices, "s").is_empty() && of(slices) == 1).await;
    cluster.api::<Service>().delete("s", &DeleteParams::default()).await.expect("deleted");
    until_all(&slices, |slices| of(slices) == 0).await;
    cluster.stop().await;
}
