//! A cluster of a user who is not root.

use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod, Service};
use kube::api::{AttachParams, ListParams};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use crate::cluster::{Cluster, Place, eventually, until};
use crate::pods::{is_ready, once, phase};
use crate::services::{SERVER, fetch};

fn is_over(found: Option<&Pod>) -> bool {
    ["Succeeded", "Failed"].contains(&phase(found))
}

/// What a pod that runs once said.
async fn said(cluster: &Cluster, pod: Value) -> String {
    let name = pod["metadata"]["name"].as_str().expect("name").to_owned();
    cluster.create::<Pod>(pod).await;
    let ended = until(&cluster.api::<Pod>(), &name, is_over).await;
    let log = cluster.log(&name).await;
    assert_eq!(phase(ended.as_ref()), "Succeeded", "{log}");
    log
}

fn with(mut pod: Value, field: &str, value: Value) -> Value {
    pod["spec"][field] = value;
    pod
}

/// Why a pod is not run.
async fn refusal(cluster: &Cluster, pod: Value) -> String {
    let name = pod["metadata"]["name"].as_str().expect("name").to_owned();
    cluster.create::<Pod>(pod).await;
    let ended = until(&cluster.api::<Pod>(), &name, is_over).await.expect("pod");
    let status = ended.status.expect("status");
    assert_eq!(
        (status.phase.as_deref(), status.reason.as_deref()),
        (Some("Failed"), Some("UsersUnsupported"))
    );
    status.message.expect("message")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_sees_the_user_that_it_asks_for_and_pods_cannot_have_two() {
    let cluster = Cluster::start_at(Place::of_an_ordinary_user()).await;
    let who = "id -u; id -g; : > /tmp/mine; stat -c %u:%g /tmp/mine /work";
    assert_eq!(said(&cluster, once(&cluster, "image", who)).await, "0\n0\n0:0\n0:0\n");
    let asks =
        json!({"runAsUser": 1234, "runAsGroup": 5678, "fsGroup": 5678, "runAsNonRoot": true});
    let other = with(once(&cluster, "other", who), "securityContext", asks);
    assert_eq!(said(&cluster, other).await, "1234\n5678\n1234:5678\n1234:5678\n");

    let group = with(once(&cluster, "group", "true"), "securityContext", json!({"fsGroup": 2000}));
    let message = refusal(&cluster, group).await;
    assert!(message.contains("fsGroup asks for group 2000"), "{message}");
    let mut two = with(once(&cluster, "two", "true"), "securityContext", json!({"runAsUser": 1}));
    let mut second = two["spec"]["containers"][0].clone();
    second["name"] = json!("second");
    second["securityContext"] = json!({"runAsUser": 2});
    two["spec"]["containers"].as_array_mut().expect("containers").push(second);
    let message = refusal(&cluster, two).await;
    assert!(message.contains("runAsUser 1 and container second for 2"), "{message}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_an_ordinary_user_serve_keep_claims_and_leave_nothing() {
    let cluster = Cluster::start_at(Place::of_an_ordinary_user()).await;
    cluster
        .create::<PersistentVolumeClaim>(json!({"metadata": {"name": "kept"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}))
        .await;
    let volumes = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "kept"}}]);
    let claiming = |name: &str, script: &str| {
        let mut pod = with(once(&cluster, name, script), "volumes", volumes.clone());
        pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/read", "readOnly": true}]);
        pod
    };
    // Only one of the two outputs is used: their lines come in any order.
    let script = "echo kept > /v/file; { echo lost > /read/file; } 2>/dev/null || cat /read/file";
    assert_eq!(said(&cluster, claiming("write", script)).await, "kept\n");

    let mut server = claiming("server", SERVER);
    server["metadata"]["labels"] = json!({"app": "web"});
    server["spec"]["restartPolicy"] = json!("Always");
    server["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": "256Mi"}});
    server["spec"]["securityContext"] = json!({"runAsUser": 9999});
    cluster.create::<Pod>(server).await;
    cluster
        .create::<Service>(json!({"metadata": {"name": "web"}, "spec": {
            "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8081}]}}))
        .await;
    until(&cluster.api::<Pod>(), "server", is_ready).await;
    limits_are_not_enforced(&cluster).await;
    assert_eq!(executed(&cluster, "server", "id -u; cat /v/file").await, "9999\nkept\n");
    hello(&cluster, "asking").await;

    let cluster = cluster.crash().await.start().await;
    let is_back = |found: Option<&Pod>| {
        let status =
            found.and_then(|pod| pod.status.as_ref()?.container_statuses.as_ref()?.first());
        is_ready(found) && status.is_some_and(|status| status.restart_count > 0)
    };
    until(&cluster.api::<Pod>(), "server", is_back).await;
    assert_eq!(executed(&cluster, "server", "cat /v/file").await, "kept\n");
    hello(&cluster, "again").await;
    cluster.stop().await;
}

/// The service answers another pod, under its name.
async fn hello(cluster: &Cluster, name: &str) {
    // A server that has only just started may not listen yet.
    let fetch = fetch("web", 80);
    let script = format!("for try in $(seq 100); do ({fetch}) && exit 0; sleep 0.1; done; exit 1");
    let answer = said(cluster, once(cluster, name, &script)).await;
    assert!(answer.contains("hello from server"), "{answer}");
}

async fn executed(cluster: &Cluster, pod: &str, script: &str) -> String {
    let parameters = AttachParams::default().stderr(false);
    let mut process = cluster
        .api::<Pod>()
        .exec(pod, ["/bin/sh", "-c", script], &parameters)
        .await
        .expect("executed");
    let mut output = String::new();
    let mut stdout = process.stdout().expect("standard output");
    stdout.read_to_string(&mut output).await.expect("read");
    output
}

async fn limits_are_not_enforced(cluster: &Cluster) {
    let message = eventually("the event", async || {
        let events = cluster.api::<Event>().list(&ListParams::default()).await.expect("events");
        let mut events = events.items.into_iter();
        events.find(|event| event.reason.as_deref() == Some("LimitsNotEnforced"))?.message
    });
    let message = message.await;
    assert!(message.contains("nothing is limited"), "{message}");
}
