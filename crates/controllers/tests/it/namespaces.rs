use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, ServiceAccount};
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;

use crate::cluster::{Cluster, from, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_gets_its_account_and_goes_with_everything_in_it() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    namespaces
        .create(&PostParams::default(), &from(json!({"metadata": {"name": "team"}})))
        .await
        .expect("namespace");
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), "team");
    until(&accounts, "default", |found: Option<&ServiceAccount>| found.is_some()).await;
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), "team");
    let authority = until(&maps, "kube-root-ca.crt", |found: Option<&ConfigMap>| found.is_some())
        .await
        .expect("map");
    assert!(authority.data.is_some_and(|data| data["ca.crt"].contains("BEGIN CERTIFICATE")));
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), "team");
    pods.create(&PostParams::default(), &from(json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "a"}]}})))
        .await
        .expect("pod");
    let running = |found: Option<&Pod>| {
        found.and_then(|pod| pod.status.as_ref()?.phase.as_deref()) == Some("Running")
    };
    until(&pods, "p", running).await;
    namespaces.delete("team", &DeleteParams::default()).await.expect("deleted");
    until(&namespaces, "team", |found: Option<&Namespace>| found.is_none()).await;
    assert!(pods.get_opt("p").await.expect("get").is_none());
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_account_comes_back() {
    let cluster = Cluster::start().await;
    let accounts = cluster.api::<ServiceAccount>();
    let first = until(&accounts, "default", |found: Option<&ServiceAccount>| found.is_some())
        .await
        .expect("account");
    accounts.delete("default", &DeleteParams::default()).await.expect("deleted");
    until(&accounts, "default", |found: Option<&ServiceAccount>| {
        found.is_some_and(|found| found.metadata.uid != first.metadata.uid)
    })
    .await;
    cluster.stop().await;
}
