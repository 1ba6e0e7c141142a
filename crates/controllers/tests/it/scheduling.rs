use k8s_openapi::api::core::v1::{
    Event, PersistentVolume, PersistentVolumeClaim, Pod, PodCondition,
};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, from, until, until_all};

fn pod(name: &str, memory: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "a", "resources": {"requests": {"memory": memory}}}]}})
}

fn condition<'a>(found: Option<&'a Pod>, name: &str) -> Option<&'a PodCondition> {
    let conditions = found?.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == name)
}

fn node_of(found: Option<&Pod>) -> Option<&str> {
    found.and_then(|pod| pod.spec.as_ref()?.node_name.as_deref())
}

fn refusal(found: Option<&Pod>) -> Option<String> {
    let condition = condition(found, "PodScheduled").filter(|known| known.status == "False")?;
    (condition.reason.as_deref() == Some("Unschedulable"))
        .then(|| condition.message.clone().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_does_not_fit_waits_with_its_reason_and_starts_when_there_is_room() {
    let cluster = Cluster::with_node("4", "1Gi").await;
    let pods = cluster.api::<Pod>();
    cluster.create::<Pod>(pod("first", "600Mi")).await;
    until(&pods, "first", |found: Option<&Pod>| node_of(found) == Some("n")).await;
    cluster.create::<Pod>(pod("second", "600Mi")).await;
    let waiting = until(&pods, "second", |found: Option<&Pod>| refusal(found).is_some()).await;
    assert_eq!(
        refusal(waiting.as_ref()).as_deref(),
        Some(
            "0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        )
    );
    assert_eq!(waiting.and_then(|pod| pod.status?.phase).as_deref(), Some("Pending"));
    until_all(&cluster.api::<Event>(), |events| {
        events.iter().any(|event| {
            event.reason.as_deref() == Some("FailedScheduling")
                && event.involved_object.name.as_deref() == Some("second")
        })
    })
    .await;
    pods.delete("first", &DeleteParams::default()).await.expect("deleted");
    until(&pods, "second", |found: Option<&Pod>| node_of(found) == Some("n")).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_waits_for_the_first_node_and_for_a_larger_one() {
    let cluster = Cluster::start().await;
    let pods = cluster.api::<Pod>();
    cluster.create::<Pod>(pod("p", "2Gi")).await;
    until(&pods, "p", |found: Option<&Pod>| {
        refusal(found).as_deref() == Some("no nodes available to schedule pods")
    })
    .await;
    cluster.add_node("n", "4", "1Gi").await;
    until(&pods, "p", |found: Option<&Pod>| {
        refusal(found).is_some_and(|message| message.contains(": 1 Insufficient memory."))
    })
    .await;
    cluster.resize("n", "4", "2Gi").await;
    until(&pods, "p", |found: Option<&Pod>| node_of(found) == Some("n")).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_say_of_a_pod_and_since_when_it_waits_outlive_the_next_refusal() {
    let cluster = Cluster::start().await;
    let pods = cluster.api::<Pod>();
    cluster.create::<Pod>(pod("p", "2Gi")).await;
    until(&pods, "p", |found: Option<&Pod>| refusal(found).is_some()).await;
    let long_ago = "2026-01-01T00:00:00Z";
    let conditions = json!([
        {"type": "PodScheduled", "status": "False", "lastTransitionTime": long_ago},
        {"type": "example.com/checked", "status": "True", "lastTransitionTime": long_ago},
    ]);
    let patch = Patch::Strategic(json!({"status": {"conditions": conditions}}));
    pods.patch_status("p", &PatchParams::default(), &patch).await.expect("conditions");
    cluster.add_node("n", "4", "1Gi").await;
    let refused = until(&pods, "p", |found: Option<&Pod>| {
        refusal(found).is_some_and(|message| message.contains(": 1 Insufficient memory."))
    })
    .await;
    let since = |name: &str| {
        let known = condition(refused.as_ref(), name).expect("a condition");
        serde_json::to_value(&known.last_transition_time).expect("time")
    };
    assert_eq!([since("PodScheduled"), since("example.com/checked")], [long_ago, long_ago]);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pods_at_once_never_take_more_than_there_is() {
    let cluster = Cluster::with_node("64", "10Gi").await;
    let pods = cluster.api::<Pod>();
    let created = (0..30).map(|number| cluster.create::<Pod>(pod(&format!("p{number}"), "1Gi")));
    futures::future::join_all(created).await;
    until_all(&pods, |pods| {
        let bound = pods.iter().filter(|pod| node_of(Some(pod)).is_some()).count();
        assert!(bound <= 10, "{bound} pods of 1Gi on a node of 10Gi");
        bound == 10 && pods.iter().filter(|pod| refusal(Some(pod)).is_some()).count() == 20
    })
    .await;
    cluster.stop().await;
}

fn pod_with_claim(name: &str, claim: &str) -> Value {
    let mut pod = pod(name, "1Mi");
    pod["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]);
    pod
}

fn claim(name: &str, class: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {
        "storageClassName": class, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_waits_for_its_claim_and_for_the_volume_of_the_claim() {
    let cluster = Cluster::with_node("4", "1Gi").await;
    let pods = cluster.api::<Pod>();
    let refused = async |name: &str, reason: &str| {
        let message = format!("0/1 nodes are available: {reason}. not found");
        let as_wanted = |found: Option<&Pod>| refusal(found).as_ref() == Some(&message);
        until(&pods, name, as_wanted).await;
    };
    cluster.create::<Pod>(pod_with_claim("p", "data")).await;
    refused("p", r#"persistentvolumeclaim "data" not found"#).await;
    cluster.create::<PersistentVolumeClaim>(claim("data", "by-hand")).await;
    refused("p", "pod has unbound immediate PersistentVolumeClaims").await;
    let volume = json!({"metadata": {"name": "v"}, "spec": {
        "storageClassName": "by-hand", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/v"}}});
    let volumes: Api<PersistentVolume> = Api::all(cluster.client.clone());
    volumes.create(&PostParams::default(), &from(volume)).await.expect("volume");
    until(&pods, "p", |found: Option<&Pod>| node_of(found) == Some("n")).await;
    let claims = cluster.api::<PersistentVolumeClaim>();
    claims.delete("data", &DeleteParams::default()).await.expect("deleted");
    cluster.create::<Pod>(pod_with_claim("late", "data")).await;
    refused("late", r#"persistentvolumeclaim "data" is being deleted"#).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_for_a_pod_does_not_hold_the_pod_back() {
    let cluster = Cluster::with_node("4", "1Gi").await;
    let pods = cluster.api::<Pod>();
    let class = json!({"metadata": {"name": "late"}, "provisioner": "e.com/p", "volumeBindingMode": "WaitForFirstConsumer"});
    let classes: Api<StorageClass> = Api::all(cluster.client.clone());
    classes.create(&PostParams::default(), &from(class)).await.expect("class");
    cluster.create::<PersistentVolumeClaim>(claim("data", "late")).await;
    cluster.create::<Pod>(pod_with_claim("p", "data")).await;
    until(&pods, "p", |found: Option<&Pod>| node_of(found) == Some("n")).await;
    let claims = cluster.api::<PersistentVolumeClaim>();
    until(&claims, "data", |found: Option<&PersistentVolumeClaim>| {
        let annotations = found.and_then(|claim| claim.metadata.annotations.as_ref());
        annotations.is_some_and(|known| {
            known.get("volume.kubernetes.io/storage-provisioner").is_some_and(|by| by == "e.com/p")
        })
    })
    .await;
    cluster.stop().await;
}
