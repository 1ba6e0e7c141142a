use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flumen_k8s::{Component, Observation, PodPhase, WatchScope, Watched};
use futures::{StreamExt, stream::BoxStream};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::{
    fake::{Fake, reply, silence, status},
    real::{RUN, Real, config_map, deployment, namespace, pod, word_count},
};

/// Longer than any of this takes; what a test that fails waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is reported next of this sort and is of interest.
async fn next<T>(
    stream: &mut BoxStream<'static, Observation>,
    mut pick: impl FnMut(&Observation) -> Option<T>,
) -> T {
    let mut passed = Vec::new();
    let search = async {
        loop {
            let observation = stream.next().await.expect("a watch does not end");
            if let Some(found) = pick(&observation) {
                return found;
            }
            passed.push(observation);
        }
    };
    let found = tokio::time::timeout(PATIENCE, search).await;
    found.unwrap_or_else(|_elapsed| panic!("not reported; what was: {passed:#?}"))
}

fn resync(of: Watched) -> impl FnMut(&Observation) -> Option<()> {
    move |one| match one {
        Observation::Resync { watched, .. } => (*watched == of).then_some(()),
        _ => None,
    }
}

fn pod_gone(one: &Observation) -> Option<String> {
    match one {
        Observation::PodGone { name, .. } => Some(name.clone()),
        _ => None,
    }
}

fn pod_seen(one: &Observation) -> Option<flumen_k8s::PodSeen> {
    match one {
        Observation::Pod(pod) => Some((**pod).clone()),
        _ => None,
    }
}

async fn set_status(real: &Real, name: &str, status: Value) {
    let patch = Patch::Merge(json!({ "status": status }));
    real.api("Pod").patch_status(name, &PatchParams::default(), &patch).await.unwrap();
}

#[tokio::test]
async fn what_is_there_is_reported_before_the_resync_and_changes_after_it() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    cluster.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap();
    let mut watch = cluster.watch(&WatchScope::default());
    let mut seen = None;
    next(&mut watch, |one| {
        if let Observation::Deployment(deployment) = one {
            seen = Some(deployment.clone());
        }
        resync(Watched::Deployments)(one)
    })
    .await;
    let seen = seen.unwrap();
    assert_eq!((seen.cluster_id, seen.run_id), (word_count(), Some(RUN.to_string())));
    assert_eq!((seen.replicas, seen.ready_replicas, seen.deleting), (1, 0, false));

    real.create(pod("word-count-taskmanager-1-1", "taskmanager")).await;
    let seen = next(&mut watch, pod_seen).await;
    assert_eq!((seen.component, seen.phase), (Component::TaskManager, PodPhase::Pending));
}

fn state_moved(one: &Observation) -> Option<()> {
    matches!(one, Observation::HighAvailability { .. }).then_some(())
}

#[tokio::test]
async fn each_checkpoint_is_heard_by_its_pointer_and_a_pointer_that_is_deleted_too() {
    let name = "word-count-0000000000000000000000000000002a-config-map";
    let real = Real::start().await;
    let mut watch = real.cluster().await.watch(&WatchScope::default());
    next(&mut watch, resync(Watched::ConfigMaps)).await;
    let labels = json!({ "app": "word-count", "type": "flink-native-kubernetes" });
    let mut object = config_map(name);
    object["metadata"]["labels"] = labels;
    real.create(object).await;
    next(&mut watch, state_moved).await;
    for checkpoint in ["checkpointID-0000000000000000001", "checkpointID-0000000000000000002"] {
        let patch = Patch::Merge(json!({ "data": { checkpoint: "pointer" } }));
        real.api("ConfigMap").patch(name, &PatchParams::default(), &patch).await.unwrap();
        next(&mut watch, state_moved).await;
    }
    real.api("ConfigMap").delete(name, &DeleteParams::default()).await.unwrap();
    next(&mut watch, |one| matches!(one, Observation::HighAvailabilityGone { .. }).then_some(()))
        .await;
}

#[tokio::test]
async fn a_change_that_can_change_no_decision_is_not_reported() {
    let real = Real::start().await;
    real.create(pod("word-count-a", "jobmanager")).await;
    let mut watch = real.cluster().await.watch(&WatchScope::default());
    next(&mut watch, pod_seen).await;
    let noise = Patch::Merge(json!({ "metadata": { "annotations": { "noise": "1" } } }));
    real.api("Pod").patch("word-count-a", &PatchParams::default(), &noise).await.unwrap();
    set_status(&real, "word-count-a", json!({ "phase": "Running" })).await;
    let seen = next(&mut watch, pod_seen).await;
    assert_eq!(seen.phase, PodPhase::Running);
}

#[tokio::test]
async fn a_scope_leaves_out_other_clusters_and_what_is_not_flink() {
    let real = Real::start().await;
    let mut other = pod("other-a", "jobmanager");
    other["metadata"]["labels"]["app"] = "other".into();
    let mut plain = pod("plain", "jobmanager");
    plain["metadata"]["labels"].as_object_mut().unwrap().remove("type");
    for object in [other, plain, pod("word-count-a", "jobmanager")] {
        real.create(object).await;
    }
    let scope = WatchScope { namespace: Some(namespace()), cluster_id: Some(word_count()) };
    let mut watch = real.cluster().await.watch(&scope);
    let mut names = Vec::new();
    next(&mut watch, |one| {
        names.extend(pod_seen(one).map(|pod| pod.name));
        resync(Watched::Pods)(one)
    })
    .await;
    assert_eq!(names, ["word-count-a"]);
}

#[tokio::test]
async fn a_deletion_is_reported_once_it_is_done() {
    let real = Real::start().await;
    real.create(pod("word-count-a", "jobmanager")).await;
    let mut watch = real.cluster().await.watch(&WatchScope::default());
    next(&mut watch, pod_seen).await;
    let now = DeleteParams::default().grace_period(0);
    real.api("Pod").delete("word-count-a", &now).await.unwrap();
    assert_eq!(next(&mut watch, pod_gone).await, "word-count-a");
}

#[tokio::test]
async fn an_outage_is_no_deletion_and_what_vanished_in_it_is_gone_afterwards() {
    let real = Real::start().await;
    for name in ["word-count-a", "word-count-b"] {
        real.create(pod(name, "jobmanager")).await;
    }
    let mut watch = real.cluster().await.watch(&WatchScope::default());
    next(&mut watch, resync(Watched::Pods)).await;

    let halted = real.halt().await;
    let since = next(&mut watch, |one| match one {
        Observation::Unreachable { watched: Watched::Pods, since, .. } => Some(*since),
        Observation::PodGone { .. } => panic!("an outage is no deletion"),
        _ => None,
    })
    .await;

    let real = halted.start().await;
    let now = DeleteParams::default().grace_period(0);
    real.api("Pod").delete("word-count-b", &now).await.unwrap();
    // Whether the watch was back before the deletion or after it: it is reported.
    let mut resynced = None;
    let mut gone = None;
    next(&mut watch, |one| {
        match one {
            Observation::Resync { watched: Watched::Pods, as_of } => resynced = Some(*as_of),
            Observation::Pod(pod) => panic!("nothing is new about {}", pod.name),
            Observation::PodGone { name, .. } => gone = Some(name.clone()),
            _ => {}
        }
        (resynced.is_some() && gone.is_some()).then_some(())
    })
    .await;
    assert_eq!(gone.as_deref(), Some("word-count-b"));
    assert!(resynced.unwrap() > since);
}

fn pod_list(version: &str) -> String {
    let mut one = pod("word-count-a", "jobmanager");
    one["metadata"]["uid"] = "u".into();
    one["metadata"]["resourceVersion"] = version.into();
    json!({ "kind": "PodList", "apiVersion": "v1", "metadata": { "resourceVersion": version }, "items": [one] })
        .to_string()
}

fn lists_and_watches(fake: &Fake) -> Vec<String> {
    let of_pods = |path: &str| path.starts_with("/api/v1/pods");
    let short = |path: &str| {
        let value = |name: &str| {
            let mut pairs = path.split(['?', '&']);
            pairs.find_map(|pair| pair.strip_prefix(name)).map(str::to_owned)
        };
        match value("watch=") {
            Some(_) => format!("watch from {}", value("resourceVersion=").unwrap_or_default()),
            None => "list".to_owned(),
        }
    };
    let seen = fake.seen();
    seen.iter().filter(|one| of_pods(&one.path)).map(|one| short(&one.path)).collect()
}

/// Answers requests about pods; those about Deployments never.
async fn pods_only(
    answer: impl Fn(bool, usize) -> axum::response::Response + Clone + Send + Sync + 'static,
) -> Fake {
    let pods = Arc::new(AtomicUsize::new(0));
    Fake::start(move |one, _| {
        if !one.path.starts_with("/api/v1/pods") {
            return silence();
        }
        answer(one.path.contains("watch=true"), pods.fetch_add(1, Ordering::SeqCst))
    })
    .await
}

#[tokio::test]
async fn a_version_that_the_server_forgot_is_no_outage() {
    let fake = pods_only(|watch, before| match (watch, before) {
        (true, 1) => status(410, "Expired", "too old resource version"),
        (true, 3) => {
            let gone =
                json!({ "kind": "Status", "apiVersion": "v1", "code": 410, "reason": "Expired" });
            reply(200, json!({ "type": "ERROR", "object": gone }).to_string() + "\n")
        }
        (true, _) => silence(),
        (false, _) => reply(200, pod_list("7")),
    })
    .await;
    let mut watch = fake.cluster().await.watch(&WatchScope::default());
    let mut resyncs = 0;
    next(&mut watch, |one| {
        if let Observation::Unreachable { watched: Watched::Pods, reason, .. } = one {
            panic!("{reason}");
        }
        resyncs += usize::from(resync(Watched::Pods)(one).is_some());
        (resyncs == 3).then_some(())
    })
    .await;
    assert_eq!(
        lists_and_watches(&fake)[..5],
        ["list", "watch from 7", "list", "watch from 7", "list"]
    );
}

#[tokio::test]
async fn a_connection_that_was_cut_goes_on_where_it_was_without_a_list() {
    let fake = pods_only(|watch, before| match (watch, before) {
        (false, _) => reply(200, pod_list("7")),
        (true, 1) => {
            let bookmark = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "resourceVersion": "9" } });
            reply(200, json!({ "type": "BOOKMARK", "object": bookmark }).to_string() + "\n")
        }
        (true, _) => {
            let mut object = pod("word-count-a", "jobmanager");
            object["metadata"]["uid"] = "u".into();
            object["metadata"]["resourceVersion"] = "10".into();
            reply(200, json!({ "type": "DELETED", "object": object }).to_string() + "\n")
        }
    })
    .await;
    let mut watch = fake.cluster().await.watch(&WatchScope::default());
    let gone = next(&mut watch, |one| {
        if let Observation::Unreachable { watched: Watched::Pods, reason, .. } = one {
            panic!("{reason}");
        }
        pod_gone(one)
    })
    .await;
    assert_eq!(gone, "word-count-a");
    assert_eq!(lists_and_watches(&fake)[..3], ["list", "watch from 7", "watch from 9"]);
}

#[tokio::test]
async fn a_server_that_may_not_be_asked_is_unreachable_with_its_words() {
    let fake = pods_only(|_, _| status(403, "Forbidden", "pods is forbidden")).await;
    let mut watch = fake.cluster().await.watch(&WatchScope::default());
    let reason = next(&mut watch, |one| match one {
        Observation::Unreachable { watched: Watched::Pods, reason, .. } => Some(reason.clone()),
        _ => None,
    })
    .await;
    assert_eq!(reason, "the API server answered 403: pods is forbidden");
}
