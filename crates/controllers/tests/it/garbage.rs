use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::DeleteParams;
use kube::{Resource as _, ResourceExt as _};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Gate, until, until_all};
use crate::deployments::deployment;

fn owned(name: &str, owner: &Value) -> Value {
    json!({"metadata": {"name": name, "ownerReferences": [owner]}})
}

fn reference(kind: &str, api_version: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": uid})
}

async fn running(cluster: &Cluster) -> Deployment {
    cluster.create::<Deployment>(deployment("d", 2, "a")).await;
    let ready = |found: Option<&Deployment>| {
        found.and_then(|found| found.status.as_ref()?.available_replicas) == Some(2)
    };
    until(&cluster.api::<Deployment>(), "d", ready).await.expect("deployment")
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_below_a_deployment_goes_with_it() {
    for options in [DeleteParams::background(), DeleteParams::foreground()] {
        let cluster = Cluster::with_node("4", "8Gi").await;
        let uid = running(&cluster).await.uid().expect("uid");
        cluster
            .create::<ConfigMap>(owned("c", &reference("Deployment", "apps/v1", "d", &uid)))
            .await;
        cluster.api::<Deployment>().delete("d", &options).await.expect("deleted");
        until_all(&cluster.api::<Pod>(), <[Pod]>::is_empty).await;
        until_all(&cluster.api::<ReplicaSet>(), <[ReplicaSet]>::is_empty).await;
        until(&cluster.api::<Deployment>(), "d", |found: Option<&Deployment>| found.is_none())
            .await;
        until(&cluster.api::<ConfigMap>(), "c", |found: Option<&ConfigMap>| found.is_none()).await;
        cluster.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_deletion_keeps_the_owner_until_the_last_pod_is_gone() {
    // Nobody ends the pods of this node.
    let cluster = Cluster::start().await;
    cluster.add_node("n", "4", "8Gi").await;
    cluster.create::<Deployment>(deployment("d", 1, "a")).await;
    let pods = cluster.api::<Pod>();
    let bound = until_all(&pods, |pods| {
        pods.iter().any(|pod| pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some()))
    })
    .await;
    cluster.api::<Deployment>().delete("d", &DeleteParams::foreground()).await.expect("deleted");
    until_all(&pods, |pods| pods.iter().all(|pod| pod.metadata.deletion_timestamp.is_some())).await;
    let waiting = cluster.api::<Deployment>().get("d").await.expect("still there");
    assert_eq!(waiting.finalizers(), ["foregroundDeletion"]);
    assert_eq!(
        cluster
            .api::<ReplicaSet>()
            .list(&kube::api::ListParams::default())
            .await
            .expect("sets")
            .items
            .len(),
        1
    );
    pods.delete(&bound[0].name_any(), &DeleteParams::default().grace_period(0))
        .await
        .expect("ended");
    until(&cluster.api::<Deployment>(), "d", |found: Option<&Deployment>| found.is_none()).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphaning_deletion_leaves_the_pods_and_the_next_deployment_adopts_them() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    running(&cluster).await;
    cluster.api::<Deployment>().delete("d", &DeleteParams::orphan()).await.expect("deleted");
    until(&cluster.api::<Deployment>(), "d", |found: Option<&Deployment>| found.is_none()).await;
    let sets = until_all(&cluster.api::<ReplicaSet>(), |sets| {
        sets.iter().all(|set| set.owner_references().is_empty())
    })
    .await;
    assert_eq!(sets.len(), 1);
    assert_eq!(
        cluster
            .api::<Pod>()
            .list(&kube::api::ListParams::default())
            .await
            .expect("pods")
            .items
            .len(),
        2
    );
    let again = running(&cluster).await.uid();
    let owned = |sets: &[ReplicaSet]| {
        sets.len() == 1
            && sets[0].owner_references().first().map(|owner| owner.uid.clone()) == again
    };
    until_all(&cluster.api::<ReplicaSet>(), owned).await;
    assert_eq!(
        cluster
            .api::<Pod>()
            .list(&kube::api::ListParams::default())
            .await
            .expect("pods")
            .items
            .len(),
        2
    );
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_an_owner_that_never_existed_goes_and_what_has_another_owner_stays() {
    let cluster = Cluster::start().await;
    let maps = cluster.api::<ConfigMap>();
    let owner: ConfigMap = cluster.create(json!({"metadata": {"name": "owner"}})).await;
    let uid = owner.uid().expect("uid");
    let never = "11111111-1111-1111-1111-111111111111";
    cluster.create::<ConfigMap>(owned("stays", &reference("ConfigMap", "v1", "owner", &uid))).await;
    cluster
        .create::<ConfigMap>(owned(
            "unknown-kind",
            &reference("Thing", "example.com/v1", "x", never),
        ))
        .await;
    let mut both = owned("both", &reference("ConfigMap", "v1", "owner", &uid));
    both["metadata"]["ownerReferences"].as_array_mut().expect("list").push(reference(
        "Deployment",
        "apps/v1",
        "x",
        never,
    ));
    cluster.create::<ConfigMap>(both).await;
    cluster
        .create::<ConfigMap>(owned("wrong-name", &reference("ConfigMap", "v1", "other", &uid)))
        .await;
    cluster
        .create::<ConfigMap>(owned("goes", &reference("Deployment", "apps/v1", "x", never)))
        .await;
    for name in ["goes", "wrong-name"] {
        until(&maps, name, |found: Option<&ConfigMap>| found.is_none()).await;
    }
    let both = until(&maps, "both", |found: Option<&ConfigMap>| {
        found.is_some_and(|found| found.owner_references().len() == 1)
    })
    .await
    .expect("map");
    assert_eq!(
        both.meta().owner_references.as_ref().map(|owners| owners[0].uid.as_str()),
        Some(uid.as_str())
    );
    for name in ["stays", "unknown-kind"] {
        assert!(maps.get_opt(name).await.expect("get").is_some(), "{name}");
    }
    maps.delete("owner", &DeleteParams::default()).await.expect("deleted");
    for name in ["stays", "both"] {
        until(&maps, name, |found: Option<&ConfigMap>| found.is_none()).await;
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_waits_for_dependents_that_no_watch_has_brought() {
    for (options, is_orphaning) in
        [(DeleteParams::foreground(), false), (DeleteParams::orphan(), true)]
    {
        let gate = Gate::before("configmaps");
        let cluster = Cluster::behind(&gate).await;
        let (secrets, maps) = (cluster.api::<Secret>(), cluster.api::<ConfigMap>());
        gate.reached().await;
        let owner: Secret = cluster.create(json!({"metadata": {"name": "owner"}})).await;
        let mut reference = reference("Secret", "v1", "owner", &owner.uid().expect("uid"));
        reference["blockOwnerDeletion"] = true.into();
        cluster.create::<ConfigMap>(owned("late", &reference)).await;
        secrets.delete("owner", &options).await.expect("deleted");
        // It looked, and looked again: the first look was not the last.
        tokio::select! {
            () = gate.listed(2) => {}
            _ = until(&secrets, "owner", |found: Option<&Secret>| found.is_none()) => {
                panic!("the owner went before its dependent was seen")
            }
        }
        assert!(maps.get_opt("late").await.expect("get").is_some());
        gate.open();
        until(&secrets, "owner", |found: Option<&Secret>| found.is_none()).await;
        let late = maps.get_opt("late").await.expect("get");
        let owners = late.map(|late| late.owner_references().len());
        assert_eq!(owners, is_orphaning.then_some(0));
        cluster.stop().await;
    }
}
