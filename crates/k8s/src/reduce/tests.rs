use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::*;

fn seen(status: &Value) -> PodSeen {
    let object: Pod = serde_json::from_value(json!({
        "metadata": {
            "name": "word-count-taskmanager-1-1",
            "namespace": "default",
            "uid": "u",
            "labels": { "app": "word-count", "component": "taskmanager" },
        },
        "spec": {
            "initContainers": [{ "name": "fetch" }],
            "containers": [{ "name": "sidecar" }, { "name": "flink-main-container" }],
        },
        "status": status,
    }))
    .unwrap();
    pod(&object, cluster_id(&object).unwrap())
}

#[test]
fn a_pod_that_fits_nowhere_says_so_in_the_schedulers_words() {
    let words = "0/1 nodes are available: 1 Insufficient memory.";
    let seen = seen(&json!({
        "phase": "Pending",
        "conditions": [
            { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words },
        ],
    }));
    assert_eq!(seen.unschedulable.as_deref(), Some(words));
    assert_eq!((seen.phase, seen.ready), (PodPhase::Pending, false));
    assert_eq!(seen.containers, ["fetch", "sidecar", "flink-main-container"]);
}

#[test]
fn a_pod_whose_image_cannot_be_pulled_waits_with_the_reason() {
    let seen = seen(&json!({
        "phase": "Pending",
        "conditions": [{ "type": "PodScheduled", "status": "True" }],
        "containerStatuses": [{
            "name": "flink-main-container", "ready": false, "restartCount": 0, "image": "", "imageID": "",
            "state": { "waiting": { "reason": "ImagePullBackOff", "message": "no such image" } },
        }],
    }));
    let waiting = seen.waiting.unwrap();
    assert_eq!(
        (waiting.reason.as_str(), waiting.message.as_str()),
        ("ImagePullBackOff", "no such image")
    );
    assert_eq!((seen.unschedulable, seen.terminated), (None, None));
}

#[test]
fn a_container_that_restarts_shows_how_it_ended_before() {
    let seen = seen(&json!({
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": "True" }],
        "containerStatuses": [
            {
                "name": "sidecar", "ready": true, "restartCount": 9, "image": "", "imageID": "",
                "state": { "running": {} },
            },
            {
                "name": "flink-main-container", "ready": true, "restartCount": 2, "image": "", "imageID": "",
                "state": { "running": {} },
                "lastState": { "terminated": { "exitCode": 137, "reason": "OOMKilled" } },
            },
        ],
    }));
    let end = seen.terminated.unwrap();
    assert_eq!((end.exit_code, end.reason.as_str()), (137, "OOMKilled"));
    assert_eq!((seen.restarts, seen.ready), (2, true));
}

#[test]
fn what_a_container_said_before_it_failed_is_why_the_pod_waits() {
    let waits = |exit_code: i32, message: &str| {
        let seen = seen(&json!({
            "phase": "Pending",
            "initContainerStatuses": [{
                "name": "fetch", "ready": false, "restartCount": 1, "image": "x", "imageID": "",
                "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 10s" } },
                "lastState": { "terminated": { "exitCode": exit_code, "message": message } },
            }],
        }));
        seen.waiting.unwrap().message
    };
    assert_eq!(waits(1, "trying again\ncould not fetch a\n"), "could not fetch a");
    assert_eq!(waits(1, "\n"), "back-off 10s");
    assert_eq!(waits(0, "done"), "back-off 10s");
}

#[test]
fn an_init_container_that_failed_is_what_holds_the_pod_up() {
    let seen = seen(&json!({
        "phase": "Pending",
        "initContainerStatuses": [{
            "name": "fetch", "ready": false, "restartCount": 1, "image": "", "imageID": "",
            "state": { "waiting": { "reason": "CrashLoopBackOff" } },
            "lastState": { "terminated": { "exitCode": 22, "reason": "Error" } },
        }],
        "containerStatuses": [{
            "name": "flink-main-container", "ready": false, "restartCount": 0, "image": "", "imageID": "",
            "state": { "waiting": { "reason": "PodInitializing" } },
        }],
    }));
    assert_eq!(seen.waiting.unwrap().container, "fetch");
    assert_eq!(seen.terminated.unwrap().exit_code, 22);
}

#[test]
fn an_evicted_pod_says_why() {
    let seen = seen(&json!({ "phase": "Failed", "reason": "Evicted", "message": "low on memory" }));
    assert_eq!(seen.reason.as_deref(), Some("Evicted: low on memory"));
}

#[test]
fn an_object_of_no_valid_cluster_is_nobodys() {
    let object: Pod =
        serde_json::from_value(json!({ "metadata": { "labels": { "app": "A.b" } } })).unwrap();
    assert_eq!(cluster_id(&object), None);
}
