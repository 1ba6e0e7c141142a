//! Nodes that are cordoned, tainted and come in several.

use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, until, until_all};

fn pod(name: &str, spec: &Value) -> Value {
    let mut whole = json!({"containers": [{"name": "c", "image": "a"}]});
    whole.as_object_mut().expect("object").extend(spec.as_object().expect("object").clone());
    json!({"metadata": {"name": name}, "spec": whole})
}

async fn change(cluster: &Cluster, node: &str, change: Value) {
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let patch = Patch::Merge(change);
    nodes.patch(node, &PatchParams::default(), &patch).await.expect("changed");
}

fn is_on(node: &'static str) -> impl Fn(Option<&Pod>) -> bool {
    move |pod| pod.and_then(|pod| pod.spec.as_ref()?.node_name.as_deref()) == Some(node)
}

fn taints(node: Option<&Node>) -> Vec<(String, String)> {
    let taints = node.and_then(|node| node.spec.as_ref()?.taints.clone()).unwrap_or_default();
    taints.into_iter().map(|taint| (taint.key, taint.effect)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_goes_to_the_node_that_it_asks_for_and_waits_for_one() {
    let cluster = Cluster::start().await;
    cluster.add_node("a", "4", "8Gi").await;
    cluster.add_node("b", "4", "8Gi").await;
    change(&cluster, "b", json!({"metadata": {"labels": {"disk": "fast"}}})).await;
    let pods = cluster.api::<Pod>();
    cluster.create::<Pod>(pod("fast", &json!({"nodeSelector": {"disk": "fast"}}))).await;
    until(&pods, "fast", is_on("b")).await;
    cluster.create::<Pod>(pod("slow", &json!({"nodeSelector": {"disk": "slow"}}))).await;
    until(&pods, "slow", |pod: Option<&Pod>| {
        let conditions = pod.and_then(|pod| pod.status.as_ref()?.conditions.as_ref());
        let mut messages =
            conditions.into_iter().flatten().filter_map(|one| one.message.as_deref());
        messages.any(|message| {
            message.starts_with(
                "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
            )
        })
    })
    .await;
    change(&cluster, "a", json!({"metadata": {"labels": {"disk": "slow"}}})).await;
    until(&pods, "slow", is_on("a")).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cordoned_node_has_the_taint_of_it_until_it_is_uncordoned() {
    let cluster = Cluster::start().await;
    cluster.add_node("n", "4", "8Gi").await;
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    change(&cluster, "n", json!({"spec": {"unschedulable": true, "taints": [{"key": "own", "effect": "PreferNoSchedule"}]}})).await;
    let both = [("own", "PreferNoSchedule"), ("node.kubernetes.io/unschedulable", "NoSchedule")];
    let both = both.map(|(key, effect)| (key.to_owned(), effect.to_owned()));
    until(&nodes, "n", |node: Option<&Node>| taints(node) == both).await;
    let pods = cluster.api::<Pod>();
    cluster.create::<Pod>(pod("p", &json!({}))).await;
    change(&cluster, "n", json!({"spec": {"unschedulable": null}})).await;
    until(&nodes, "n", |node: Option<&Node>| taints(node) == both[..1]).await;
    until(&pods, "p", is_on("n")).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taint_drives_away_who_does_not_bear_it() {
    let cluster = Cluster::start().await.and_node("4", "8Gi").await;
    let pods = cluster.api::<Pod>();
    let bears = json!([{"key": "away", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3600}]);
    for (name, tolerations) in [("shy", json!([])), ("patient", bears)] {
        // What nobody takes away stays, so that its end can be looked at.
        let mut pod = pod(name, &json!({"tolerations": tolerations}));
        pod["metadata"]["finalizers"] = json!(["e.com/look"]);
        cluster.create::<Pod>(pod).await;
        until(&pods, name, is_on("n")).await;
    }
    change(&cluster, "n", json!({"spec": {"taints": [{"key": "away", "effect": "NoExecute"}]}}))
        .await;
    let gone = until(&pods, "shy", |pod: Option<&Pod>| {
        pod.is_some_and(|pod| pod.metadata.deletion_timestamp.is_some())
    })
    .await;
    let conditions = gone.and_then(|pod| pod.status?.conditions).unwrap_or_default();
    let why = conditions.iter().find(|one| one.type_ == "DisruptionTarget").expect("a condition");
    assert_eq!(why.reason.as_deref(), Some("DeletionByTaintManager"));
    assert_eq!(why.message.as_deref(), Some("Taint manager: deleting due to NoExecute taint"));
    let said = |events: &[Event], message: &str| {
        events.iter().any(|event| event.message.as_deref() == Some(message))
    };
    let events = cluster.api::<Event>();
    until_all(&events, |all| said(all, "Marking for deletion Pod default/shy")).await;
    change(&cluster, "n", json!({"spec": {"taints": null}})).await;
    until_all(&events, |all| said(all, "Cancelling deletion of Pod default/patient")).await;
    let patient = pods.get("patient").await.expect("still there");
    assert!(patient.metadata.deletion_timestamp.is_none());
    for name in ["shy", "patient"] {
        let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        pods.patch(name, &PatchParams::default(), &patch).await.expect("changed");
    }
    pods.delete("patient", &DeleteParams::default()).await.expect("deleted");
    until(&pods, "patient", |pod: Option<&Pod>| pod.is_none()).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_says_it_is_not_ready_gets_no_pods_and_loses_those_that_it_has_if_there_is_another()
 {
    let cluster = Cluster::start().await.and_node("4", "8Gi").await;
    cluster.add_node("other", "1", "1Gi").await;
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let ready = async |node: &str, status: &str| {
        let patch = json!({"status": {"conditions": [{"type": "Ready", "status": status}]}});
        let patch = Patch::Merge(patch);
        nodes.patch_status(node, &PatchParams::default(), &patch).await.expect("status");
    };
    let key = "node.kubernetes.io/not-ready".to_owned();
    let only_asleep = [(key.clone(), "NoSchedule".to_owned())];
    let away = [(key.clone(), "NoSchedule".to_owned()), (key, "NoExecute".to_owned())];
    ready("n", "False").await;
    until(&nodes, "n", |node: Option<&Node>| taints(node) == away).await;
    ready("other", "False").await;
    until(&nodes, "n", |node: Option<&Node>| taints(node) == only_asleep).await;
    ready("other", "True").await;
    until(&nodes, "n", |node: Option<&Node>| taints(node) == away).await;
    ready("n", "True").await;
    until(&nodes, "n", |node: Option<&Node>| taints(node).is_empty()).await;
    cluster.stop().await;
}
