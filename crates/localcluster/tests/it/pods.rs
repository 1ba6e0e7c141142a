//! Workloads: from a Deployment to processes and back.

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::ResourceExt as _;
use kube::api::{DeleteParams, ListParams, LogParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Place, eventually, until};
use crate::image;

/// A pod that runs a shell script once.
pub(crate) fn once(cluster: &Cluster, name: &str, script: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [
        {"name": "c", "image": cluster.shell(), "command": ["/bin/sh", "-c", script]}]}})
}

pub(crate) fn phase(found: Option<&Pod>) -> &str {
    found.and_then(|pod| pod.status.as_ref()?.phase.as_deref()).unwrap_or("")
}

pub(crate) fn is_ready(found: Option<&Pod>) -> bool {
    let conditions =
        found.and_then(|pod| pod.status.as_ref()?.conditions.as_ref()).into_iter().flatten();
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

pub(crate) fn deployment(cluster: &Cluster, name: &str, replicas: i32, script: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [
                {"name": "c", "image": cluster.shell(), "command": ["/bin/sh", "-c", script]}]}
        }
    }})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_becomes_running_pods_and_its_deletion_ends_them() {
    let cluster = Cluster::start().await;
    cluster
        .create::<Deployment>(deployment(&cluster, "d", 2, "echo started; exec sleep 1000"))
        .await;
    let available = |found: Option<&Deployment>| {
        found.and_then(|found| found.status.as_ref()?.available_replicas) == Some(2)
    };
    until(&cluster.api::<Deployment>(), "d", available).await;
    let pods = cluster.api::<Pod>();
    let list = pods.list(&ListParams::default().labels("app=d")).await.expect("pods").items;
    let addresses: Vec<_> =
        list.iter().filter_map(|pod| pod.status.as_ref()?.pod_ip.clone()).collect();
    assert_eq!(addresses.len(), 2, "{list:#?}");
    assert_ne!(addresses[0], addresses[1]);
    // It is available as soon as it runs, which may be before it has said anything.
    let follow = LogParams { follow: true, ..LogParams::default() };
    for pod in &list {
        let mut lines = pods.log_stream(&pod.name_any(), &follow).await.expect("log").lines();
        assert_eq!(lines.try_next().await.expect("line").as_deref(), Some("started"));
    }
    cluster.api::<Deployment>().delete("d", &DeleteParams::foreground()).await.expect("deleted");
    until(&cluster.api::<Deployment>(), "d", |found: Option<&Deployment>| found.is_none()).await;
    assert!(pods.list(&ListParams::default()).await.expect("pods").items.is_empty());
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_while_it_is_written_and_ends_with_the_container() {
    let cluster = Cluster::start().await;
    let pods = cluster.api::<Pod>();
    cluster.create::<Pod>(once(&cluster, "p", "echo one; exec sleep 1000")).await;
    until(&pods, "p", |found: Option<&Pod>| phase(found) == "Running").await;
    let follow = LogParams { follow: true, ..LogParams::default() };
    let mut lines = pods.log_stream("p", &follow).await.expect("log").lines();
    assert_eq!(lines.try_next().await.expect("line").as_deref(), Some("one"));
    pods.delete("p", &DeleteParams::default()).await.expect("deleted");
    while lines.try_next().await.expect("line").is_some() {}
    until(&pods, "p", |found: Option<&Pod>| found.is_none()).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_container_ended_is_told() {
    let cluster = Cluster::start().await;
    let pods = cluster.api::<Pod>();
    cluster.create::<Pod>(once(&cluster, "good", "echo $COLOUR; pwd; id -u")).await;
    cluster.create::<Pod>(once(&cluster, "bad", "exit 42")).await;
    until(&pods, "good", |found: Option<&Pod>| phase(found) == "Succeeded").await;
    assert_eq!(cluster.log("good").await, "green\n/work\n0\n");
    let bad =
        until(&pods, "bad", |found: Option<&Pod>| phase(found) == "Failed").await.expect("pod");
    let state = bad
        .status
        .and_then(|status| status.container_statuses?.remove(0).state?.terminated)
        .expect("terminated");
    assert_eq!((state.exit_code, state.reason.as_deref()), (42, Some("Error")));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_waits_with_the_reason_and_runs_when_there_is_room() {
    let cluster = Place::of_size(2000, 1 << 30).start().await;
    image::push(cluster.registry()).await;
    let pods = cluster.api::<Pod>();
    let asking = |name: &str| {
        let mut pod = once(&cluster, name, "exec sleep 1000");
        pod["spec"]["containers"][0]["resources"] =
            json!({"requests": {"memory": "700Mi", "cpu": "500m"}});
        pod
    };
    cluster.create::<Pod>(asking("first")).await;
    until(&pods, "first", |found: Option<&Pod>| is_ready(found)).await;
    cluster.create::<Pod>(asking("second")).await;
    let refused = |found: Option<&Pod>| {
        let conditions =
            found.and_then(|pod| pod.status.as_ref()?.conditions.as_ref()).into_iter().flatten();
        conditions.into_iter().any(|condition| {
            (condition.reason.as_deref(), condition.message.as_deref())
                == (Some("Unschedulable"), Some("0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."))
        })
    };
    let waiting = until(&pods, "second", refused).await;
    assert_eq!(phase(waiting.as_ref()), "Pending");
    eventually("the event", async || {
        let events =
            cluster.api::<Event>().list(&ListParams::default()).await.expect("events").items;
        events.into_iter().find(|event| {
            event.reason.as_deref() == Some("FailedScheduling")
                && event.involved_object.name.as_deref() == Some("second")
        })
    })
    .await;
    pods.delete("first", &DeleteParams::default()).await.expect("deleted");
    until(&pods, "second", |found: Option<&Pod>| is_ready(found)).await;
    cluster.stop().await;
}
