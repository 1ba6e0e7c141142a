//! `PodScheduled`, `Initialized`, `ContainersReady`, `Ready`.

use k8s_openapi::{
    api::core::v1::{ContainerStatus, Pod, PodCondition, PodStatus},
    apimachinery::pkg::apis::meta::v1::Time,
};

use super::super::{
    decide::{Course, course, has_done_its_work, is_initialized},
    state::State,
};

/// What a condition says, before times are considered.
struct Verdict {
    kind: &'static str,
    holds: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

impl Verdict {
    fn holds(kind: &'static str) -> Self {
        Self { kind, holds: true, reason: None, message: None }
    }

    fn fails(kind: &'static str, reason: &'static str, message: Option<String>) -> Self {
        Self { kind, holds: false, reason: Some(reason), message }
    }
}

pub(super) fn build(
    pod: &Pod,
    state: &State,
    containers: &[ContainerStatus],
    before: Option<&PodStatus>,
    now: &Time,
) -> Vec<PodCondition> {
    let list = |status: Option<&PodStatus>| {
        status.and_then(|status| status.conditions.clone()).unwrap_or_default()
    };
    let before = list(before);
    let verdicts = [
        initialized(pod, state),
        ready("Ready", pod, state, containers),
        ready("ContainersReady", pod, state, containers),
        Verdict::holds("PodScheduled"),
    ];
    let mut conditions: Vec<PodCondition> = verdicts
        .into_iter()
        .map(|verdict| {
            let old = before.iter().find(|condition| condition.type_ == verdict.kind);
            let status = if verdict.holds { "True" } else { "False" };
            let since = old
                .filter(|old| old.status == status)
                .and_then(|old| old.last_transition_time.clone());
            PodCondition {
                type_: verdict.kind.to_owned(),
                status: status.to_owned(),
                reason: verdict.reason.map(str::to_owned),
                message: verdict.message,
                last_transition_time: Some(since.unwrap_or_else(|| now.clone())),
                ..PodCondition::default()
            }
        })
        .collect();
    // Conditions of others stay as they are.
    let own: Vec<String> = conditions.iter().map(|condition| condition.type_.clone()).collect();
    let others = list(pod.status.as_ref()).into_iter();
    conditions.extend(others.filter(|condition| !own.contains(&condition.type_)));
    conditions
}

fn initialized(pod: &Pod, state: &State) -> Verdict {
    if is_initialized(pod, state) {
        return Verdict::holds("Initialized");
    }
    let init = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
    let names: Vec<&str> = init
        .into_iter()
        .flatten()
        .filter(|container| !has_done_its_work(container, state))
        .map(|container| container.name.as_str())
        .collect();
    let message = format!("containers with incomplete status: [{}]", names.join(" "));
    Verdict::fails("Initialized", "ContainersNotInitialized", Some(message))
}

fn ready(kind: &'static str, pod: &Pod, state: &State, containers: &[ContainerStatus]) -> Verdict {
    match course(pod, state) {
        Course::Succeeded => return Verdict::fails(kind, "PodCompleted", None),
        Course::Failed => return Verdict::fails(kind, "PodFailed", None),
        Course::Goes => {}
    }
    let unready: Vec<&str> =
        containers.iter().filter(|status| !status.ready).map(|s| s.name.as_str()).collect();
    if unready.is_empty() && !containers.is_empty() {
        return Verdict::holds(kind);
    }
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    Verdict::fails(kind, "ContainersNotReady", Some(message))
}
