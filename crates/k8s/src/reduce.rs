//! From Kubernetes' objects to what can change a decision.

use flumen_model::{ClusterId, RunId};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ContainerStateTerminated, ContainerStatus, Pod, PodStatus},
};
use kube::ResourceExt;

use crate::{
    Component, ContainerEnd, ContainerWait, DeploymentCondition, DeploymentSeen, LABEL_APP,
    LABEL_COMPONENT, MAIN_CONTAINER, PodPhase, PodSeen,
};

/// The Flink cluster that an object says it is of; none where that is no valid cluster id.
pub(crate) fn cluster_id(object: &impl ResourceExt) -> Option<ClusterId> {
    object.labels().get(LABEL_APP)?.parse().ok()
}

pub(crate) fn deployment(object: &Deployment, cluster_id: ClusterId) -> DeploymentSeen {
    let status = object.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let mut conditions: Vec<_> = conditions
        .iter()
        .map(|condition| DeploymentCondition {
            name: condition.type_.clone(),
            holds: match condition.status.as_str() {
                "True" => Some(true),
                "False" => Some(false),
                _ => None,
            },
            reason: condition.reason.clone().unwrap_or_default(),
            message: condition.message.clone().unwrap_or_default(),
        })
        .collect();
    conditions.sort_by(|one, other| one.name.cmp(&other.name));
    DeploymentSeen {
        namespace: object.namespace().unwrap_or_default(),
        cluster_id,
        uid: object.uid().unwrap_or_default(),
        run_id: object.annotations().get(RunId::ANNOTATION).cloned(),
        replicas: object.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        ready_replicas: status.and_then(|status| status.ready_replicas).unwrap_or(0),
        deleting: object.metadata.deletion_timestamp.is_some(),
        conditions,
    }
}

pub(crate) fn pod(object: &Pod, cluster_id: ClusterId) -> PodSeen {
    let nothing = PodStatus::default();
    let status = object.status.as_ref().unwrap_or(&nothing);
    let main = main_container(status);
    PodSeen {
        namespace: object.namespace().unwrap_or_default(),
        cluster_id,
        component: component(object),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        node: object.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        phase: phase(status),
        reason: reason(status),
        containers: containers(object),
        waiting: statuses(status).find_map(waiting),
        terminated: terminated(status, main),
        restarts: main.map_or(0, |main| main.restart_count),
        ready: condition(status, "Ready").is_some_and(|(holds, _)| holds),
        deleting: object.metadata.deletion_timestamp.is_some(),
        unschedulable: condition(status, "PodScheduled")
            .filter(|(holds, _)| !holds)
            .map(|(_, message)| message),
    }
}

fn component(object: &Pod) -> Component {
    match object.labels().get(LABEL_COMPONENT).map(String::as_str) {
        Some("jobmanager") => Component::JobManager,
        Some("taskmanager") => Component::TaskManager,
        _ => Component::Other,
    }
}

fn phase(status: &PodStatus) -> PodPhase {
    match status.phase.as_deref() {
        None | Some("Pending") => PodPhase::Pending,
        Some("Running") => PodPhase::Running,
        Some("Succeeded") => PodPhase::Succeeded,
        Some("Failed") => PodPhase::Failed,
        Some(_) => PodPhase::Unknown,
    }
}

fn reason(status: &PodStatus) -> Option<String> {
    let reason = status.reason.clone()?;
    Some(match status.message.as_deref() {
        Some(message) if !message.is_empty() => format!("{reason}: {message}"),
        _ => reason,
    })
}

fn containers(object: &Pod) -> Vec<String> {
    let Some(spec) = &object.spec else { return Vec::new() };
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    inits.iter().chain(&spec.containers).map(|container| container.name.clone()).collect()
}

/// Init containers first, because the others wait for them.
fn statuses(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let inits = status.init_container_statuses.as_deref().unwrap_or_default();
    inits.iter().chain(status.container_statuses.as_deref().unwrap_or_default())
}

/// Flink's container; where a pod template named it otherwise, the first.
fn main_container(status: &PodStatus) -> Option<&ContainerStatus> {
    let all = status.container_statuses.as_deref().unwrap_or_default();
    all.iter().find(|container| container.name == MAIN_CONTAINER).or(all.first())
}

fn waiting(container: &ContainerStatus) -> Option<ContainerWait> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let message = said(container).or_else(|| waiting.message.clone());
    Some(ContainerWait {
        container: container.name.clone(),
        reason: waiting.reason.clone().unwrap_or_default(),
        message: message.unwrap_or_default(),
    })
}

/// What the container said last before it failed: that is more than how long it is waited for.
fn said(container: &ContainerStatus) -> Option<String> {
    let end = container.last_state.as_ref()?.terminated.as_ref()?;
    let line = end.message.as_ref()?.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    (end.exit_code != 0).then(|| line.to_owned())
}

fn terminated(status: &PodStatus, main: Option<&ContainerStatus>) -> Option<ContainerEnd> {
    let inits = status.init_container_statuses.as_deref().unwrap_or_default();
    let failed_init =
        inits.iter().find_map(|container| end_of(container).filter(|end| end.exit_code != 0));
    main.and_then(end_of).or(failed_init)
}

fn end_of(container: &ContainerStatus) -> Option<ContainerEnd> {
    let now = container.state.as_ref().and_then(|state| state.terminated.as_ref());
    let before = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let end: &ContainerStateTerminated = now.or(before)?;
    Some(ContainerEnd {
        container: container.name.clone(),
        exit_code: end.exit_code,
        reason: end.reason.clone().unwrap_or_default(),
        message: end.message.clone().unwrap_or_default(),
        at: end.finished_at.as_ref().map(|time| time.0),
    })
}

/// Whether a condition of a pod holds, and what is said about it.
fn condition(status: &PodStatus, name: &str) -> Option<(bool, String)> {
    let found = status.conditions.as_deref()?.iter().find(|condition| condition.type_ == name)?;
    Some((found.status == "True", found.message.clone().unwrap_or_default()))
}

#[cfg(test)]
mod tests;
