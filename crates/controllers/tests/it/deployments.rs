use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Pod, ServiceAccount};
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, until, until_all};

pub(crate) fn deployment(name: &str, replicas: i32, image: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": image}]}}
        }
    })
}

fn is_complete(found: Option<&Deployment>, replicas: i32) -> bool {
    found.is_some_and(|found| {
        let status = found.status.clone().unwrap_or_default();
        let counts = [
            status.replicas,
            status.updated_replicas,
            status.ready_replicas,
            status.available_replicas,
        ];
        counts.iter().all(|count| count.unwrap_or(0) == replicas)
            && status.observed_generation == found.metadata.generation
    })
}

fn running(pods: &[Pod], image: &str) -> usize {
    let of_image = |pod: &&Pod| {
        pod.spec.as_ref().is_some_and(|spec| spec.containers[0].image.as_deref() == Some(image))
    };
    pods.iter().filter(of_image).filter(|pod| pod.metadata.deletion_timestamp.is_none()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_becomes_pods_and_says_so() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    cluster.create::<Deployment>(deployment("d", 3, "a")).await;
    let done = until(&cluster.api::<Deployment>(), "d", |found: Option<&Deployment>| {
        is_complete(found, 3)
    })
    .await
    .expect("deployment");
    let conditions = done.status.and_then(|status| status.conditions).unwrap_or_default();
    let summary: Vec<_> = conditions
        .iter()
        .map(|one| {
            (one.type_.as_str(), one.status.as_str(), one.reason.as_deref().unwrap_or_default())
        })
        .collect();
    assert!(summary.contains(&("Available", "True", "MinimumReplicasAvailable")), "{summary:?}");
    until(&cluster.api::<Deployment>(), "d", |found: Option<&Deployment>| {
        let conditions = found
            .and_then(|found| found.status.as_ref()?.conditions.as_ref())
            .into_iter()
            .flatten();
        conditions
            .into_iter()
            .any(|condition| condition.reason.as_deref() == Some("NewReplicaSetAvailable"))
    })
    .await;
    let pods =
        cluster.api::<Pod>().list(&kube::api::ListParams::default()).await.expect("pods").items;
    assert_eq!(pods.len(), 3);
    for pod in &pods {
        let owner = &pod.owner_references()[0];
        assert_eq!(
            (owner.kind.as_str(), owner.controller, owner.block_owner_deletion),
            ("ReplicaSet", Some(true), Some(true))
        );
        assert!(pod.name_any().starts_with(&format!("{}-", owner.name)), "{}", pod.name_any());
        assert_eq!(pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()), Some("n"));
    }
    until_all(&cluster.api::<Event>(), |events| {
        let reasons: Vec<&str> =
            events.iter().filter_map(|event| event.reason.as_deref()).collect();
        ["ScalingReplicaSet", "SuccessfulCreate", "Scheduled"]
            .iter()
            .all(|reason| reasons.contains(reason))
    })
    .await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_template_replaces_the_pods_and_the_old_replica_set_stays_empty() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    cluster.create::<Deployment>(deployment("d", 3, "a")).await;
    let deployments = cluster.api::<Deployment>();
    until(&deployments, "d", |found: Option<&Deployment>| is_complete(found, 3)).await;
    let image =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "b"}]}}}});
    deployments.patch("d", &PatchParams::default(), &Patch::Merge(image)).await.expect("patched");
    until_all(&cluster.api::<Pod>(), |pods| pods.len() == 3 && running(pods, "b") == 3).await;
    until_all(&cluster.api::<ReplicaSet>(), |sets| {
        let mut sizes: Vec<_> = sets
            .iter()
            .map(|set| set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1))
            .collect();
        sizes.sort_unstable();
        sizes == [0, 3]
    })
    .await;
    let revision = until(&deployments, "d", |found: Option<&Deployment>| is_complete(found, 3))
        .await
        .expect("deployment");
    assert_eq!(
        revision.annotations().get("deployment.kubernetes.io/revision").map(String::as_str),
        Some("2")
    );
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scaling_and_the_death_of_a_pod_are_followed() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    cluster.create::<Deployment>(deployment("d", 1, "a")).await;
    let (deployments, pods) = (cluster.api::<Deployment>(), cluster.api::<Pod>());
    for size in [4, 2] {
        let scale = json!({"spec": {"replicas": size}});
        deployments
            .patch("d", &PatchParams::default(), &Patch::Merge(scale))
            .await
            .expect("scaled");
        until(&deployments, "d", |found: Option<&Deployment>| is_complete(found, size)).await;
    }
    let first = until_all(&pods, |pods| running(pods, "a") == 2).await.remove(0).name_any();
    let failed = json!({"status": {"phase": "Failed"}});
    pods.patch_status(&first, &PatchParams::default(), &Patch::Merge(failed))
        .await
        .expect("failed");
    until_all(&pods, |pods| pods.len() == 3 && running(pods, "a") == 3).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_a_watch_missed_are_found_again() {
    let cluster = Cluster::remembering(2).await.and_node("64", "64Gi").await;
    let deployments = cluster.api::<Deployment>();
    cluster.create::<Deployment>(deployment("d", 40, "a")).await;
    until(&deployments, "d", |found: Option<&Deployment>| is_complete(found, 40)).await;
    let scale = json!({"spec": {"replicas": 3}});
    deployments.patch("d", &PatchParams::default(), &Patch::Merge(scale)).await.expect("scaled");
    until(&deployments, "d", |found: Option<&Deployment>| is_complete(found, 3)).await;
    deployments.delete("d", &kube::api::DeleteParams::background()).await.expect("deleted");
    until_all(&cluster.api::<Pod>(), <[Pod]>::is_empty).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_cannot_be_made_are_a_failure_with_its_reason_until_they_can() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    let mut wanted = deployment("d", 2, "a");
    wanted["spec"]["template"]["spec"]["serviceAccountName"] = json!("robot");
    cluster.create::<Deployment>(wanted).await;
    let deployments = cluster.api::<Deployment>();
    let failure = |found: Option<&Deployment>| {
        let conditions = found?.status.as_ref()?.conditions.as_ref()?;
        let failed = conditions.iter().find(|condition| condition.type_ == "ReplicaFailure")?;
        assert_eq!(
            (failed.status.as_str(), failed.reason.as_deref()),
            ("True", Some("FailedCreate"))
        );
        failed.message.clone()
    };
    let found =
        until(&deployments, "d", |found: Option<&Deployment>| failure(found).is_some()).await;
    let message = failure(found.as_ref()).expect("failure");
    assert!(message.contains("serviceaccount \"robot\" not found"), "{message}");
    cluster.create::<ServiceAccount>(json!({"metadata": {"name": "robot"}})).await;
    until(&deployments, "d", |found: Option<&Deployment>| {
        is_complete(found, 2) && failure(found).is_none()
    })
    .await;
    let told =
        cluster.api::<Event>().list(&kube::api::ListParams::default()).await.expect("events").items;
    let failures = told.iter().filter(|event| event.reason.as_deref() == Some("FailedCreate"));
    assert_eq!(failures.count(), 1, "the same failure is told once");
    cluster.stop().await;
}

fn owner(found: Option<&ReplicaSet>) -> Option<&str> {
    let owners = found?.metadata.owner_references.as_ref()?;
    owners.first().map(|owner| owner.name.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_that_nobody_has_is_adopted_and_one_that_no_longer_matches_is_let_go() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    let sets = cluster.api::<ReplicaSet>();
    let mut bare = deployment("old", 1, "a");
    bare["metadata"]["labels"] = json!({"app": "d"});
    bare["spec"]["selector"] = json!({"matchLabels": {"app": "d"}});
    bare["spec"]["template"]["metadata"]["labels"] = json!({"app": "d"});
    cluster.create::<ReplicaSet>(bare).await;
    cluster.create::<Deployment>(deployment("d", 1, "b")).await;
    until(&sets, "old", |found: Option<&ReplicaSet>| {
        owner(found) == Some("d") && found.and_then(|set| set.spec.as_ref()?.replicas) == Some(0)
    })
    .await;
    until_all(&cluster.api::<Pod>(), |pods| running(pods, "b") == 1 && running(pods, "a") == 0)
        .await;
    let other = Patch::Merge(json!({"metadata": {"labels": {"app": "e"}}}));
    sets.patch("old", &PatchParams::default(), &other).await.expect("label");
    until(&sets, "old", |found: Option<&ReplicaSet>| found.is_some() && owner(found).is_none())
        .await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replica_set_follows_what_its_deployment_says_beside_the_template() {
    let cluster = Cluster::with_node("4", "8Gi").await;
    let deployments = cluster.api::<Deployment>();
    cluster.create::<Deployment>(deployment("d", 1, "a")).await;
    until(&deployments, "d", |found: Option<&Deployment>| is_complete(found, 1)).await;
    let change =
        json!({"metadata": {"annotations": {"team": "a"}}, "spec": {"minReadySeconds": 1}});
    deployments.patch("d", &PatchParams::default(), &Patch::Merge(change)).await.expect("patch");
    let found = until_all(&cluster.api::<ReplicaSet>(), |sets| {
        sets.iter().any(|set| {
            set.annotations().get("team").is_some_and(|team| team == "a")
                && set.spec.as_ref().and_then(|spec| spec.min_ready_seconds) == Some(1)
        })
    })
    .await;
    assert_eq!(found.len(), 1, "the template is the same");
    cluster.stop().await;
}
