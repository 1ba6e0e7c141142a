use serde_json::{Value, json};

use super::*;
use crate::pods::state::{Event, Running, Signal};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn pod() -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"restartPolicy": "Always", "initContainers": [{"name": "first", "image": "i"}],
                 "containers": [{"name": "main", "image": "r/main:1"}]},
        "status": {"conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2025-12-31T00:00:00Z"},
            {"type": "Custom", "status": "False"}]},
    }))
    .unwrap()
}

fn status(state: &State, second: i64) -> Value {
    serde_json::to_value(build(&pod(), state, None, [10, 244, 0, 1].into(), at(second))).unwrap()
}

fn ended(code: i32, second: i64) -> Ended {
    Ended {
        exit_code: code,
        reason: "Error".into(),
        message: None,
        started_at: Some(at(0)),
        finished_at: at(second),
        container_id: Some("flumen://1".into()),
    }
}

fn running(second: i64) -> Running {
    Running {
        process: 1,
        started_at: at(second),
        container_id: "flumen://2".into(),
        signal: Signal::None,
        started: true,
        ready: true,
        asked: None,
        condemned: None,
    }
}

#[test]
fn a_pod_that_initializes_says_what_it_waits_for() {
    let status = status(&State::restore(&pod(), at(0)), 0);
    assert_eq!(status["phase"], "Pending");
    assert_eq!(
        status["initContainerStatuses"][0]["state"]["waiting"]["reason"],
        "ContainerCreating"
    );
    assert_eq!(status["containerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
    assert_eq!(status["startTime"], "2026-01-01T00:00:00Z");
    let conditions: Vec<_> = status["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (&c["type"], &c["status"]))
        .collect();
    assert_eq!(
        json!(conditions),
        json!([
            ["Initialized", "False"],
            ["Ready", "False"],
            ["ContainersReady", "False"],
            ["PodScheduled", "True"],
            ["Custom", "False"]
        ])
    );
    assert_eq!(status["conditions"][0]["message"], "containers with incomplete status: [first]");
    assert_eq!(status["conditions"][3]["lastTransitionTime"], "2025-12-31T00:00:00Z");
}

#[test]
fn a_running_pod_is_ready_and_has_its_address() {
    let mut state = State::restore(&pod(), at(0));
    state.fold(Event::SandboxReady([10, 244, 0, 7].into()), at(0));
    state.fold(Event::Exited("first".into(), ended(0, 1)), at(1));
    state.fold(Event::Started("main".into(), running(2)), at(2));
    let status = status(&state, 3);
    assert_eq!(status["phase"], "Running");
    assert_eq!((&status["podIP"], &status["hostIP"]), (&json!("10.244.0.7"), &json!("10.244.0.1")));
    assert_eq!(status["conditions"][1]["status"], "True");
    assert_eq!(
        status["containerStatuses"][0]["state"],
        json!({"running": {"startedAt": "2026-01-01T00:00:02Z"}})
    );
    assert_eq!(status["initContainerStatuses"][0]["ready"], true);
}

#[test]
fn a_pod_stays_running_while_its_sidecar_waits() {
    let mut pod = pod();
    let spec = pod.spec.as_mut().unwrap();
    spec.init_containers.as_mut().unwrap()[0].restart_policy = Some("Always".into());
    let mut state = State::restore(&pod, at(0));
    for name in ["first", "main"] {
        state.fold(Event::Started(name.into(), running(0)), at(0));
    }
    state.observe(&pod, at(0));
    state.fold(Event::Exited("first".into(), ended(0, 1)), at(1));
    let built = build(&pod, &state, None, [10, 244, 0, 1].into(), at(1));
    let status = serde_json::to_value(built).unwrap();
    assert_eq!(status["phase"], "Running");
    assert_eq!(status["conditions"][0]["status"], "True");
    assert_eq!(status["conditions"][1]["status"], "False");
    let sidecar = &status["initContainerStatuses"][0];
    assert_eq!(sidecar["state"]["waiting"]["reason"], "CrashLoopBackOff");
    assert_eq!(sidecar["ready"], false);
}

#[test]
fn a_crashing_container_shows_its_last_end() {
    let mut state = State::restore(&pod(), at(0));
    state.fold(Event::Exited("first".into(), ended(0, 1)), at(1));
    state.fold(Event::Exited("main".into(), ended(1, 2)), at(2));
    state.fold(Event::Exited("main".into(), ended(3, 4)), at(4));
    let status = status(&state, 5);
    let main = &status["containerStatuses"][0];
    assert_eq!(status["phase"], "Running");
    assert_eq!(main["state"]["waiting"]["reason"], "CrashLoopBackOff");
    assert_eq!(
        main["state"]["waiting"]["message"],
        "back-off 10s restarting failed container=main pod=p_n(u)"
    );
    assert_eq!(main["lastState"]["terminated"]["exitCode"], 3);
    assert_eq!((&main["ready"], &main["containerID"]), (&json!(false), &json!("flumen://1")));
}

#[test]
fn an_image_that_cannot_be_pulled_is_told_with_its_reason() {
    let mut state = State::restore(&pod(), at(0));
    state.fold(Event::Exited("first".into(), ended(0, 1)), at(1));
    state.fold(
        Event::ImageFailed("main".into(), "ErrImagePull".into(), "no such image".into()),
        at(2),
    );
    let waiting =
        |second| status(&state, second)["containerStatuses"][0]["state"]["waiting"].clone();
    assert_eq!(waiting(2), json!({"reason": "ErrImagePull", "message": "no such image"}));
    assert_eq!(
        waiting(10),
        json!({"reason": "ImagePullBackOff", "message": "Back-off pulling image \"r/main:1\": ErrImagePull: no such image"})
    );
}
