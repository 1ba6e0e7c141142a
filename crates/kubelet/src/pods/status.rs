//! The status of a pod as the API shows it. Pure.

mod conditions;

use std::net::Ipv4Addr;

use jiff::{Timestamp, Unit};
use k8s_openapi::{
    api::core::v1::{
        Container, ContainerState as ApiState, ContainerStateRunning, ContainerStateTerminated,
        ContainerStateWaiting, ContainerStatus, HostIP, Pod, PodIP, PodStatus,
    },
    apimachinery::pkg::apis::meta::v1::Time,
};

use super::{
    backoff::FRESH,
    decide::{Course, comes_back, course, is_initialized, is_sidecar},
    state::{ContainerState, Ended, Failure, Need, Run, State},
};

/// Why a container waits that has ended and is to be started again.
const BACK_OFF: &str = "CrashLoopBackOff";
/// Why a container waits whose image could not be pulled.
const PULL_BACK_OFF: &str = "ImagePullBackOff";

/// What stands in the API is accurate to the second.
pub(crate) fn time(at: Timestamp) -> Time {
    Time(at.round(Unit::Second).unwrap_or(at).min(at))
}

/// The status for the state. Conditions that have not changed since `before`, which we wrote, or the one in `pod`, keep
/// their times.
pub(crate) fn build(
    pod: &Pod,
    state: &State,
    before: Option<&PodStatus>,
    host: Ipv4Addr,
    now: Timestamp,
) -> PodStatus {
    let before = before.or(pod.status.as_ref());
    let spec = pod.spec.as_ref();
    let initialized = is_initialized(pod, state);
    let over = course(pod, state) != Course::Goes;
    let missing = ContainerState::default();
    let describe = |container: &Container, init: bool| {
        let known = state.containers.get(&container.name).unwrap_or(&missing);
        let restarts = |code| comes_back(pod, &container.name, code);
        let may_start = state.stopping.is_none() && !over;
        let waits = Waits { initialized: init || initialized, may_start, now };
        container_status(pod, container, known, &restarts, &waits)
    };
    let init: Vec<ContainerStatus> = spec
        .and_then(|spec| spec.init_containers.as_ref())
        .into_iter()
        .flatten()
        .map(|c| describe(c, true))
        .collect();
    let containers: Vec<ContainerStatus> =
        spec.into_iter().flat_map(|spec| &spec.containers).map(|c| describe(c, false)).collect();
    let address = match state.sandbox {
        Need::Ready(address) => Some(address.to_string()),
        // A pod that is over keeps the address that it had.
        _ if over || state.stopping.is_some() => before.and_then(|status| status.pod_ip.clone()),
        _ => None,
    };
    // Sidecars must be ready, too.
    let sidecars = spec.and_then(|spec| spec.init_containers.as_ref()).into_iter().flatten();
    let sidecars: Vec<&str> =
        sidecars.filter(|one| is_sidecar(one)).map(|one| one.name.as_str()).collect();
    let ready: Vec<ContainerStatus> = init
        .iter()
        .filter(|status| sidecars.contains(&status.name.as_str()))
        .chain(&containers)
        .cloned()
        .collect();
    let conditions = conditions::build(pod, state, &ready, before, &time(now));
    PodStatus {
        phase: Some(phase(pod, state, &containers).to_owned()),
        conditions: Some(conditions),
        message: state.rejection.as_ref().map(|rejection| rejection.message.clone()),
        reason: state.rejection.as_ref().map(|rejection| rejection.reason.clone()),
        host_ip: Some(host.to_string()),
        host_ips: Some(vec![HostIP { ip: host.to_string() }]),
        pod_ips: address.as_ref().map(|ip| vec![PodIP { ip: ip.clone() }]),
        pod_ip: address,
        start_time: Some(time(state.started_at)),
        init_container_statuses: (!init.is_empty()).then_some(init),
        container_statuses: Some(containers),
        qos_class: pod.status.as_ref().and_then(|status| status.qos_class.clone()),
        observed_generation: None,
        ..PodStatus::default()
    }
}

/// Whether the pod's object says of its readiness what we said of it.
pub(crate) fn agrees(told: &PodStatus, pod: &Pod) -> bool {
    let ready = |status: Option<&PodStatus>| {
        let conditions = status.and_then(|status| status.conditions.as_ref());
        let mut conditions = conditions.into_iter().flatten();
        conditions.find(|one| one.type_ == "Ready").map(|one| one.status.clone())
    };
    ready(Some(told)) == ready(pod.status.as_ref())
}

/// The containers that wait to be started again.
pub(crate) fn backing_off(status: &PodStatus) -> impl Iterator<Item = &str> {
    waiting_because(status, BACK_OFF).map(|one| one.name.as_str())
}

/// The containers that wait before their image is asked for again.
pub(crate) fn pausing_pulls(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    waiting_because(status, PULL_BACK_OFF)
}

fn waiting_because<'a>(
    status: &'a PodStatus,
    reason: &'static str,
) -> impl Iterator<Item = &'a ContainerStatus> {
    let all = [&status.init_container_statuses, &status.container_statuses];
    let waits = move |one: &&ContainerStatus| {
        let waiting = one.state.as_ref().and_then(|state| state.waiting.as_ref());
        waiting.is_some_and(|waiting| waiting.reason.as_deref() == Some(reason))
    };
    all.into_iter().flatten().flatten().filter(waits)
}

fn phase(pod: &Pod, state: &State, containers: &[ContainerStatus]) -> &'static str {
    // A pod is over when its sidecars are, too.
    let active = state.containers.values().any(ContainerState::is_active);
    match course(pod, state) {
        Course::Succeeded if !active => return "Succeeded",
        Course::Failed if !active => return "Failed",
        _ => {}
    }
    let ran = |status: &ContainerStatus| {
        let is = |state: &Option<ApiState>| {
            state
                .as_ref()
                .is_some_and(|state| state.running.is_some() || state.terminated.is_some())
        };
        is(&status.state) || is(&status.last_state)
    };
    if is_initialized(pod, state) && !containers.is_empty() && containers.iter().all(ran) {
        "Running"
    } else {
        "Pending"
    }
}

/// What a container may be waiting for besides itself.
struct Waits {
    /// The init containers before it are done.
    initialized: bool,
    /// It is started (again) when it can be.
    may_start: bool,
    now: Timestamp,
}

fn container_status(
    pod: &Pod,
    container: &Container,
    known: &ContainerState,
    restarts: &dyn Fn(i32) -> bool,
    waits: &Waits,
) -> ContainerStatus {
    let mut last = known.last.as_ref();
    let state = match &known.run {
        Run::Running(running) => ApiState {
            running: Some(ContainerStateRunning { started_at: Some(time(running.started_at)) }),
            ..ApiState::default()
        },
        Run::Ended(ended) if waits.may_start && restarts(ended.exit_code) => {
            last = Some(ended);
            waiting(BACK_OFF, Some(back_off_message(pod, container, known)))
        }
        Run::Ended(ended) => terminated(ended),
        Run::Refused(failure) => waiting(&failure.reason, Some(failure.message.clone())),
        Run::Waiting | Run::Starting { .. } => waiting_for(container, known, waits),
    };
    let image_id = match &known.image {
        Need::Ready(image) => image.id.clone(),
        _ => String::new(),
    };
    let (is_started, is_ready) = match &known.run {
        Run::Running(running) => (running.started, running.started && running.ready),
        _ => (false, false),
    };
    let container_id = match &known.run {
        Run::Running(running) => Some(running.container_id.clone()),
        Run::Ended(ended) => ended.container_id.clone(),
        _ => last.and_then(|ended| ended.container_id.clone()),
    };
    ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        image_id,
        container_id,
        // An init container is ready when it has succeeded.
        ready: is_ready
            || state.terminated.as_ref().is_some_and(|ended| {
                ended.exit_code == 0 && is_init(pod, container) && !is_sidecar(container)
            }),
        started: Some(is_started),
        restart_count: i32::try_from(known.restarts).unwrap_or(i32::MAX),
        last_state: last.map(terminated),
        state: Some(state),
        ..ContainerStatus::default()
    }
}

fn is_init(pod: &Pod, container: &Container) -> bool {
    let init = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
    init.into_iter().flatten().any(|other| other.name == container.name)
}

fn waiting_for(container: &Container, known: &ContainerState, waits: &Waits) -> ApiState {
    match &known.image {
        Need::Failed(failure) => image_failure(container, failure, waits.now),
        _ if !waits.initialized => waiting("PodInitializing", None),
        _ => waiting("ContainerCreating", None),
    }
}

fn image_failure(container: &Container, failure: &Failure, now: Timestamp) -> ApiState {
    let fresh = now.duration_since(failure.at).unsigned_abs() < FRESH;
    if failure.reason != "ErrImagePull" || fresh {
        return waiting(&failure.reason, Some(failure.message.clone()));
    }
    let image = container.image.as_deref().unwrap_or_default();
    waiting(
        PULL_BACK_OFF,
        Some(format!("Back-off pulling image {image:?}: ErrImagePull: {}", failure.message)),
    )
}

fn back_off_message(pod: &Pod, container: &Container, known: &ContainerState) -> String {
    let pause = super::backoff::before_restart(known.crashes).as_secs();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let metadata = &pod.metadata;
    format!(
        "back-off {pause}s restarting failed container={} pod={}_{}({})",
        container.name,
        text(&metadata.name),
        text(&metadata.namespace),
        text(&metadata.uid)
    )
}

fn waiting(reason: &str, message: Option<String>) -> ApiState {
    ApiState {
        waiting: Some(ContainerStateWaiting { reason: Some(reason.to_owned()), message }),
        ..ApiState::default()
    }
}

fn terminated(ended: &Ended) -> ApiState {
    ApiState {
        terminated: Some(ContainerStateTerminated {
            exit_code: ended.exit_code,
            reason: Some(ended.reason.clone()),
            message: ended.message.clone(),
            started_at: ended.started_at.map(time),
            finished_at: Some(time(ended.finished_at)),
            container_id: ended.container_id.clone(),
            signal: None,
        }),
        ..ApiState::default()
    }
}

#[cfg(test)]
mod tests;
