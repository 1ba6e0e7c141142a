//! Probes and hooks.

use kube::api::LogParams;
use serde_json::json;

use crate::cluster::{Cluster, eventually};

#[tokio::test]
async fn a_pod_is_ready_when_its_probe_says_so() {
    let cluster = Cluster::start().await;
    cluster
        .run("slow", "until [ -e /tmp/go ]; do sleep 0.02; done; touch /tmp/ready; exec sleep 1000", |pod| {
            pod["spec"]["containers"][0]["readinessProbe"] =
                json!({"exec": {"command": ["/bin/sh", "-c", "test -e /tmp/ready || { echo not yet; exit 3; }"]}, "periodSeconds": 1});
            pod["spec"]["containers"][0]["lifecycle"] = json!({
                "postStart": {"exec": {"command": ["/bin/sh", "-c", "until [ -e /tmp/proceed ]; do sleep 0.02; done; touch /tmp/go"]}}});
            pod["spec"]["volumes"] = json!([{"name": "tmp", "emptyDir": {}}]);
            pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "tmp", "mountPath": "/tmp"}]);
        })
        .await;
    let pod = cluster.wait_phase("slow", "Running").await;
    let status = &pod["status"]["containerStatuses"][0];
    assert_eq!((&status["ready"], &status["started"]), (&json!(false), &json!(true)));
    let unhealthy = async || cluster.events("slow").await.remove("Unhealthy");
    let unhealthy = eventually("the probe fails", unhealthy).await;
    assert_eq!(unhealthy, "Readiness probe failed: command ended with 3: not yet");
    let uid = pod["metadata"]["uid"].as_str().unwrap();
    let volume = cluster.kubelet_directory().join("pods").join(uid).join("volumes/tmp");
    std::fs::write(volume.join("proceed"), "").unwrap();
    cluster.wait("slow", is_ready).await;
}

fn is_ready(pod: &k8s_openapi::api::core::v1::Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[tokio::test]
async fn a_container_that_does_not_answer_is_restarted() {
    let cluster = Cluster::start().await;
    cluster
        .run("deaf", "trap 'echo told to end; exit 0' TERM; while :; do sleep 0.05; done", |pod| {
            pod["spec"]["restartPolicy"] = json!("Always");
            pod["spec"]["containers"][0]["livenessProbe"] =
                json!({"httpGet": {"port": 80, "path": "/health"}, "periodSeconds": 1, "failureThreshold": 1});
            pod["spec"]["containers"][0]["lifecycle"] =
                json!({"preStop": {"exec": {"command": ["/bin/sh", "-c", "echo hook > /proc/1/fd/1"]}}});
        })
        .await;
    cluster
        .wait("deaf", |pod| {
            let statuses =
                pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
            statuses.is_some_and(|statuses| statuses[0].restart_count >= 1)
        })
        .await;
    let previous = LogParams { previous: true, ..LogParams::default() };
    assert_eq!(cluster.log("deaf", &previous).await, "hook\ntold to end\n");
    let events = cluster.events("deaf").await;
    assert!(events["Unhealthy"].contains("/health"), "{events:?}");
}
