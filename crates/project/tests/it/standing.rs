use flumen_project::{Failure, Part, Standing, standing};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::COMMIT;

fn of(status: &Value) -> Standing {
    let pod: Pod = serde_json::from_value(json!({ "status": status })).unwrap();
    standing(&pod)
}

fn container(name: &str, state: &Value) -> Value {
    json!({
        "name": name, "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state,
    })
}

fn running() -> Value {
    json!({ "running": {} })
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({ "waiting": { "reason": reason, "message": message } })
}

fn ended(code: i32, message: &str) -> Value {
    json!({ "terminated": { "exitCode": code, "message": message } })
}

/// A pod whose containers stand so, in their order.
fn pod(phase: &str, states: [&Value; 3]) -> Value {
    json!({
        "phase": phase,
        "initContainerStatuses": [container("fetch", states[0]), container("build", states[1])],
        "containerStatuses": [container("hand-over", states[2])],
    })
}

fn commit() -> String {
    COMMIT.to_owned()
}

#[test]
fn a_build_goes_from_one_container_to_the_next() {
    let (initializing, fetched) =
        (waiting("PodInitializing", ""), ended(0, &format!("{COMMIT}\n")));
    let done = ended(0, "");
    for (states, expected) in [
        ([&running(), &initializing, &initializing], Standing::Fetching),
        ([&fetched, &initializing, &initializing], Standing::Building { commit: commit() }),
        ([&fetched, &running(), &initializing], Standing::Building { commit: commit() }),
        ([&fetched, &done, &initializing], Standing::Building { commit: commit() }),
        ([&fetched, &done, &running()], Standing::HandingOver { commit: commit() }),
    ] {
        assert_eq!(of(&pod("Pending", states)), expected, "{states:?}");
    }
}

#[test]
fn what_a_pod_waits_for_is_said() {
    let nothing = json!({});
    assert_eq!(of(&nothing), Standing::Waiting { reason: None, image: false });
    let unscheduled = json!({ "phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: Insufficient cpu",
    }]});
    let reason = "Unschedulable: 0/1 nodes: Insufficient cpu".to_owned();
    assert_eq!(of(&unscheduled), Standing::Waiting { reason: Some(reason), image: false });
    let pull = waiting("ImagePullBackOff", "Back-off pulling image");
    let initializing = waiting("PodInitializing", "");
    let reason = "ImagePullBackOff: Back-off pulling image".to_owned();
    let seen = of(&pod("Pending", [&pull, &initializing, &initializing]));
    assert_eq!(seen, Standing::Waiting { reason: Some(reason), image: true });
    let name = waiting("InvalidImageName", "couldn't parse");
    let seen = of(&pod("Pending", [&name, &initializing, &initializing]));
    assert!(matches!(seen, Standing::Failed(Failure::Image { .. })), "{seen:?}");
}

#[test]
fn the_container_that_failed_says_why() {
    let (initializing, fetched) = (waiting("PodInitializing", ""), ended(0, COMMIT));
    let done = ended(0, "");
    let memory = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    for (states, expected) in [
        ([&ended(91, "x"), &initializing, &initializing], Failure::NoReference),
        ([&ended(0, "so"), &initializing, &initializing], Failure::NoCommit { said: "so".into() }),
        (
            [&fetched, &ended(1, "a\n\nb\n"), &initializing],
            Failure::Build { status: 1, said: "a\nb".into() },
        ),
        ([&fetched, &memory, &initializing], Failure::OutOfMemory { part: Part::Build }),
        ([&fetched, &done, &ended(97, "")], Failure::NoArtifact { pattern: String::new() }),
        (
            [&fetched, &done, &ended(98, "a.jar\nb.jar")],
            Failure::SeveralArtifacts {
                pattern: String::new(),
                found: vec!["a.jar".into(), "b.jar".into()],
            },
        ),
    ] {
        assert_eq!(of(&pod("Failed", states)), Standing::Failed(expected), "{states:?}");
    }
}

#[test]
fn what_the_cluster_does_to_a_pod_is_no_fault_of_the_build() {
    let evicted = json!({ "phase": "Failed", "reason": "Evicted", "message": "low on memory" });
    let expected = Failure::Evicted { reason: "Evicted".into(), message: "low on memory".into() };
    assert_eq!(of(&evicted), Standing::Failed(expected));
    let late = json!({ "phase": "Failed", "reason": "DeadlineExceeded", "message": "x" });
    assert_eq!(of(&late), Standing::Failed(Failure::Deadline));
    // The hand-over has no end of its own.
    let (fetched, done) = (ended(0, COMMIT), ended(0, ""));
    let over = of(&pod("Succeeded", [&fetched, &done, &done]));
    assert!(matches!(over, Standing::Failed(Failure::Evicted { .. })), "{over:?}");
}
