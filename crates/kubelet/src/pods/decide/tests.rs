use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{
    images::{Image, RunConfiguration},
    pods::state::{Ended, Event, Running},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn pod(policy: &str, init: &[&str], containers: &[&str]) -> Pod {
    let list = |names: &[&str]| {
        names.iter().map(|name| json!({"name": name, "image": "i"})).collect::<Vec<_>>()
    };
    serde_json::from_value(json!({
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"restartPolicy": policy, "initContainers": list(init), "containers": list(containers),
                 "terminationGracePeriodSeconds": 20},
    }))
    .unwrap()
}

fn deleted(mut pod: Pod, grace: i64) -> Pod {
    pod.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(0)));
    pod.metadata.deletion_grace_period_seconds = Some(grace);
    pod
}

fn image() -> Arc<Image> {
    Arc::new(Image {
        id: "i@sha256:1".into(),
        layers: vec![],
        run: RunConfiguration::default(),
        size_bytes: 0,
    })
}

/// A pod with everything that its containers need.
fn prepared(pod: &Pod) -> State {
    let mut state = State::restore(pod, at(0));
    state.volumes = Need::Ready(());
    state.sandbox = Need::Ready([10, 244, 0, 2].into());
    for container in state.containers.values_mut() {
        container.image = Need::Ready(image());
    }
    state
}

fn running() -> Running {
    Running {
        process: 1,
        started_at: at(0),
        container_id: "c".into(),
        signal: Signal::None,
        started: true,
        ready: true,
        asked: None,
        condemned: None,
    }
}

fn exited(code: i32, second: i64) -> Ended {
    Ended {
        exit_code: code,
        reason: "Error".into(),
        message: None,
        started_at: Some(at(0)),
        finished_at: at(second),
        container_id: None,
    }
}

fn start(name: &str) -> Vec<Action> {
    vec![Action::Start(name.into())]
}

/// Carries the decision out as far as the state is concerned.
fn step(pod: &Pod, state: &mut State, second: i64) -> Vec<Action> {
    state.observe(pod, at(second));
    let decision = decide(pod, state, at(second));
    for action in &decision.actions {
        state.begin(action);
        // Without a hook the signal goes at once.
        if let Action::Terminate(name) = action {
            state.fold(Event::Signalled(name.clone()), at(second));
        }
    }
    decision.actions
}

#[test]
fn a_new_pod_gets_all_it_needs_at_once_and_each_only_once() {
    let pod = pod("Always", &[], &["a", "b"]);
    let mut state = State::restore(&pod, at(0));
    assert_eq!(
        step(&pod, &mut state, 0),
        [
            Action::PrepareVolumes,
            Action::CreateSandbox,
            Action::Pull("a".into()),
            Action::Pull("b".into())
        ]
    );
    assert_eq!(step(&pod, &mut state, 1), []);
    state.fold(Event::VolumesReady, at(1));
    state.fold(Event::ImageReady("a".into(), image()), at(1));
    assert_eq!(step(&pod, &mut state, 1), []);
    state.fold(Event::SandboxReady([10, 244, 0, 2].into()), at(1));
    assert_eq!(step(&pod, &mut state, 1), start("a"));
}

#[test]
fn a_missing_volume_is_tried_again_soon() {
    let pod = pod("Always", &[], &["a"]);
    let mut state = prepared(&pod);
    state.fold(Event::VolumesFailed("no such ConfigMap".into()), at(5));
    let decision = decide(&pod, &state, at(5));
    assert_eq!(decision.actions, []);
    assert_eq!(decision.wake_at, Some(at(5) + Duration::from_millis(250)));
    assert_eq!(decide(&pod, &state, at(6)).actions, [Action::PrepareVolumes]);
}

#[test]
fn init_containers_run_one_after_the_other_before_the_containers() {
    let pod = pod("Always", &["first", "second"], &["main"]);
    let mut state = prepared(&pod);
    assert_eq!(step(&pod, &mut state, 0), start("first"));
    state.fold(Event::Started("first".into(), running()), at(0));
    assert_eq!(step(&pod, &mut state, 1), []);
    state.fold(Event::Exited("first".into(), exited(0, 2)), at(2));
    assert_eq!(step(&pod, &mut state, 2), start("second"));
    state.fold(Event::Exited("second".into(), exited(1, 3)), at(3));
    assert_eq!(step(&pod, &mut state, 3), start("second"), "until it succeeds");
    state.fold(Event::Exited("second".into(), exited(0, 4)), at(4));
    assert_eq!(step(&pod, &mut state, 4), start("main"));
}

#[test]
fn a_failed_init_container_fails_a_pod_that_never_restarts() {
    let pod = pod("Never", &["first"], &["main"]);
    let mut state = prepared(&pod);
    state.fold(Event::Exited("first".into(), exited(1, 2)), at(2));
    assert_eq!(course(&pod, &state), Course::Failed);
    assert_eq!(step(&pod, &mut state, 3), [Action::ReleaseSandbox]);
}

#[test]
fn the_restart_policy_says_what_an_exit_means() {
    for (policy, code, expected) in [
        ("Always", 0, Course::Goes),
        ("Always", 1, Course::Goes),
        ("OnFailure", 0, Course::Succeeded),
        ("OnFailure", 1, Course::Goes),
        ("Never", 0, Course::Succeeded),
        ("Never", 137, Course::Failed),
    ] {
        let pod = pod(policy, &[], &["a"]);
        let mut state = prepared(&pod);
        state.fold(Event::Exited("a".into(), exited(code, 1)), at(1));
        assert_eq!(course(&pod, &state), expected, "{policy} {code}");
        let starts = step(&pod, &mut state, 1) == start("a");
        assert_eq!(starts, expected == Course::Goes, "{policy} {code}");
    }
}

#[test]
fn a_container_that_keeps_ending_waits_longer_each_time() {
    let pod = pod("Always", &[], &["a"]);
    let mut state = prepared(&pod);
    state.fold(Event::Exited("a".into(), exited(1, 1)), at(1));
    assert_eq!(step(&pod, &mut state, 1), start("a"));
    state.fold(Event::Exited("a".into(), exited(1, 2)), at(2));
    assert_eq!(decide(&pod, &state, at(3)).wake_at, Some(at(12)));
    assert_eq!(step(&pod, &mut state, 12), start("a"));
    assert_eq!((state.containers["a"].restarts, state.containers["a"].crashes), (2, 2));
    // Ten minutes of work begin a new count.
    state.fold(Event::Exited("a".into(), exited(1, 700)), at(700));
    assert_eq!(step(&pod, &mut state, 700), start("a"));
}

#[test]
fn a_deleted_pod_is_asked_to_end_then_killed_then_removed() {
    let pod = deleted(pod("Always", &[], &["a"]), 5);
    let mut state = prepared(&pod);
    state.fold(Event::Started("a".into(), running()), at(0));
    state.observe(&pod, at(10));
    assert_eq!(step(&pod, &mut state, 10), [Action::Terminate("a".into())]);
    assert_eq!(decide(&pod, &state, at(11)).wake_at, Some(at(15)));
    assert_eq!(step(&pod, &mut state, 11), []);
    assert_eq!(step(&pod, &mut state, 15), [Action::Kill("a".into())]);
    assert_eq!(step(&pod, &mut state, 16), []);
    state.fold(Event::Exited("a".into(), exited(137, 16)), at(16));
    assert_eq!(step(&pod, &mut state, 16), [Action::ReleaseSandbox]);
    state.fold(Event::SandboxReleased, at(16));
    assert_eq!(step(&pod, &mut state, 16), [], "the end must be reported first");
    state.reported = true;
    assert_eq!(step(&pod, &mut state, 17), [Action::Delete]);
    assert_eq!(step(&pod, &mut state, 18), []);
}

#[test]
fn a_pod_that_is_gone_is_killed_at_once() {
    let pod = pod("Always", &[], &["a"]);
    let mut state = prepared(&pod);
    state.fold(Event::Started("a".into(), running()), at(0));
    state.observe_gone(at(1));
    assert_eq!(step(&pod, &mut state, 1), [Action::Kill("a".into())]);
}

#[test]
fn a_pod_deleted_before_it_started_is_just_removed() {
    let pod = deleted(pod("Always", &[], &["a"]), 30);
    let mut state = State::restore(&pod, at(0));
    state.observe(&pod, at(0));
    state.reported = true;
    assert_eq!(step(&pod, &mut state, 0), [Action::Delete]);
}

#[test]
fn after_a_restart_of_the_node_the_restart_policy_decides() {
    let status = json!({"startTime": "2026-01-01T00:00:00Z", "containerStatuses": [
        {"name": "a", "image": "i", "imageID": "", "ready": true, "restartCount": 3,
         "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]});
    for (policy, expected) in [("Always", Course::Goes), ("Never", Course::Failed)] {
        let mut pod = pod(policy, &[], &["a"]);
        pod.status = Some(serde_json::from_value(status.clone()).unwrap());
        let mut state = State::restore(&pod, at(0));
        assert_eq!(course(&pod, &state), expected, "{policy}");
        if expected == Course::Goes {
            state.volumes = Need::Ready(());
            state.sandbox = Need::Ready([10, 244, 0, 2].into());
            state.container("a").image = Need::Ready(image());
            assert_eq!(step(&pod, &mut state, 0), start("a"));
            assert_eq!(state.containers["a"].restarts, 4);
            assert_eq!(state.containers["a"].last.as_ref().unwrap().exit_code, 255);
        }
    }
}

#[test]
fn a_container_whose_probe_failed_is_ended_and_restarted() {
    let pod = pod("Always", &[], &["a"]);
    let mut state = prepared(&pod);
    state.fold(Event::Started("a".into(), running()), at(0));
    state.fold(Event::Condemned("a".into(), None), at(5));
    assert_eq!(step(&pod, &mut state, 5), [Action::Terminate("a".into())]);
    assert_eq!(decide(&pod, &state, at(6)).wake_at, Some(at(25)));
    assert_eq!(step(&pod, &mut state, 25), [Action::Kill("a".into())]);
    state.fold(Event::Exited("a".into(), exited(137, 25)), at(25));
    assert_eq!(step(&pod, &mut state, 25), start("a"));
}

#[test]
fn the_grace_of_the_probe_that_failed_counts_until_the_pod_ends() {
    let pod = pod("Always", &[], &["a"]);
    let mut state = prepared(&pod);
    state.fold(Event::Started("a".into(), running()), at(0));
    state.fold(Event::Condemned("a".into(), Some(Duration::from_secs(7))), at(5));
    assert_eq!(step(&pod, &mut state, 5), [Action::Terminate("a".into())]);
    assert_eq!(decide(&pod, &state, at(6)).wake_at, Some(at(12)));
    assert_eq!(decide(&pod, &state, at(12)).actions, [Action::Kill("a".into())]);
    let pod = deleted(pod, 20);
    state.observe(&pod, at(6));
    assert_eq!(decide(&pod, &state, at(12)).actions, []);
}

#[test]
fn a_hook_that_takes_all_of_the_grace_leaves_a_moment_to_end() {
    let pod = deleted(pod("Always", &[], &["a"]), 5);
    let mut state = prepared(&pod);
    state.fold(Event::Started("a".into(), running()), at(0));
    state.observe(&pod, at(10));
    assert_eq!(decide(&pod, &state, at(10)).actions, [Action::Terminate("a".into())]);
    state.begin(&Action::Terminate("a".into()));
    assert_eq!(decide(&pod, &state, at(15)).actions, []);
    state.fold(Event::Signalled("a".into()), at(15));
    let decision = decide(&pod, &state, at(16));
    assert_eq!((decision.actions, decision.wake_at), (vec![], Some(at(17))));
    assert_eq!(decide(&pod, &state, at(17)).actions, [Action::Kill("a".into())]);
    state.observe_gone(at(15));
    assert_eq!(decide(&pod, &state, at(16)).actions, [Action::Kill("a".into())]);
}

fn with_sidecar(policy: &str) -> (Pod, State) {
    let mut pod = pod(policy, &["helper", "first"], &["main"]);
    let init = pod.spec.as_mut().and_then(|spec| spec.init_containers.as_mut()).unwrap();
    init[0].restart_policy = Some("Always".into());
    let state = prepared(&pod);
    (pod, state)
}

#[test]
fn a_sidecar_starts_before_what_follows_and_ends_after_it() {
    let (pod, mut state) = with_sidecar("Never");
    assert_eq!(step(&pod, &mut state, 0), start("helper"));
    let not_yet = Running { started: false, ..running() };
    state.fold(Event::Started("helper".into(), not_yet), at(0));
    assert_eq!(step(&pod, &mut state, 1), [], "its startup probe has not passed");
    state.fold(Event::StartupPassed("helper".into()), at(2));
    assert_eq!(step(&pod, &mut state, 2), start("first"));
    state.fold(Event::Exited("first".into(), exited(0, 3)), at(3));
    assert_eq!(step(&pod, &mut state, 3), start("main"));
    state.fold(Event::Started("main".into(), running()), at(3));
    // It comes back whatever the pod's policy says, and holds nothing up.
    state.fold(Event::Exited("helper".into(), exited(1, 4)), at(4));
    assert_eq!(step(&pod, &mut state, 4), start("helper"));
    state.fold(Event::Started("helper".into(), running()), at(4));
    state.fold(Event::Exited("main".into(), exited(0, 5)), at(5));
    assert_eq!(course(&pod, &state), Course::Succeeded);
    assert_eq!(step(&pod, &mut state, 5), [Action::Terminate("helper".into())]);
    assert_eq!(step(&pod, &mut state, 25), [Action::Kill("helper".into())]);
    state.fold(Event::Exited("helper".into(), exited(137, 25)), at(25));
    assert_eq!(step(&pod, &mut state, 25), [Action::ReleaseSandbox]);
}

#[test]
fn what_has_been_started_comes_back_while_its_sidecar_waits() {
    let (pod, mut state) = with_sidecar("Always");
    for name in ["helper", "main"] {
        state.fold(Event::Started(name.into(), running()), at(0));
    }
    state.fold(Event::Exited("first".into(), exited(0, 0)), at(0));
    assert_eq!(step(&pod, &mut state, 0), []);
    for second in [1, 2, 3] {
        state.fold(Event::Exited("helper".into(), exited(1, second)), at(second));
    }
    state.fold(Event::Exited("main".into(), exited(1, 3)), at(3));
    assert_eq!(step(&pod, &mut state, 3), start("main"));
    assert!(is_initialized(&pod, &state));
}

#[test]
fn of_a_deleted_pod_the_sidecars_end_last() {
    let (pod, mut state) = with_sidecar("Always");
    let pod = deleted(pod, 5);
    for name in ["helper", "main"] {
        state.fold(Event::Started(name.into(), running()), at(0));
    }
    state.observe(&pod, at(10));
    assert_eq!(step(&pod, &mut state, 10), [Action::Terminate("main".into())]);
    state.fold(Event::Exited("main".into(), exited(0, 11)), at(11));
    assert_eq!(step(&pod, &mut state, 11), [Action::Terminate("helper".into())]);
    assert_eq!(step(&pod, &mut state, 15), [Action::Kill("helper".into())]);
}

#[test]
fn a_pod_that_is_active_for_too_long_fails() {
    let mut pod = pod("Always", &[], &["a"]);
    pod.spec.as_mut().unwrap().active_deadline_seconds = Some(60);
    let mut state = prepared(&pod);
    state.observe(&pod, at(0));
    assert_eq!(step(&pod, &mut state, 0), start("a"));
    state.fold(Event::Started("a".into(), running()), at(0));
    assert_eq!(decide(&pod, &state, at(1)).wake_at, Some(at(60)));
    state.observe(&pod, at(59));
    assert_eq!(state.rejection, None);
    state.observe(&pod, at(60));
    assert_eq!(state.rejection.as_ref().unwrap().reason, "DeadlineExceeded");
    assert_eq!(step(&pod, &mut state, 60), [Action::Terminate("a".into())]);
    state.fold(Event::Exited("a".into(), exited(143, 61)), at(61));
    assert_eq!(course(&pod, &state), Course::Failed);
    assert_eq!(step(&pod, &mut state, 61), [Action::ReleaseSandbox]);
}
