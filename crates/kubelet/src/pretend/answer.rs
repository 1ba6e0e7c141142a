//! What a node that pretends says of a pod. Pure.

use std::net::Ipv4Addr;

use k8s_openapi::{
    api::core::v1::{
        Container, ContainerState, ContainerStateRunning, ContainerStateTerminated,
        ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus,
    },
    apimachinery::pkg::apis::meta::v1::Time,
};

use crate::{network::Range, pods::decide::is_sidecar};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// It runs.
    Run(Box<PodStatus>),
    /// It has ended.
    Delete,
}

/// The range that is set aside for measuring networks: nobody is there.
const BASE: u32 = u32::from_be_bytes([198, 18, 0, 0]);
const PREFIX: u8 = 15;

/// Addresses of pods that nobody reaches, one after the other.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    last: u32,
}

impl Addresses {
    pub(super) fn range() -> Range {
        Range::new(Ipv4Addr::from(BASE), PREFIX)
    }

    pub(super) fn next(&mut self) -> Ipv4Addr {
        self.last = self.last % (u32::MAX >> PREFIX) + 1;
        Ipv4Addr::from(BASE + self.last)
    }

    /// Goes on after what pods have from an earlier life.
    pub(super) fn see(&mut self, pod: &Pod) {
        let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_ref());
        let address = address.and_then(|text| text.parse::<Ipv4Addr>().ok()).map(u32::from);
        let place = address.and_then(|address| address.checked_sub(BASE));
        if let Some(place) = place.filter(|place| *place < u32::MAX >> PREFIX) {
            self.last = self.last.max(place);
        }
    }
}

/// What is to be said of a pod of this node; nothing where it has been said.
pub(super) fn answer(
    pod: &Pod,
    host: Ipv4Addr,
    address: impl FnOnce() -> Ipv4Addr,
    now: &Time,
) -> Option<Answer> {
    if pod.metadata.deletion_timestamp.is_some() {
        return Some(Answer::Delete);
    }
    let known = pod.status.as_ref();
    let is_due = match known.and_then(|status| status.phase.as_deref()) {
        None | Some("Pending") => true,
        // So it is said of the pods of a node that was not heard for a while.
        Some("Running") => known.is_some_and(is_unready),
        Some(_) => false,
    };
    let own = known.and_then(|status| status.pod_ip.as_ref()?.parse().ok());
    is_due.then(|| Answer::Run(Box::new(status(pod, host, own.unwrap_or_else(address), now))))
}

fn is_unready(status: &PodStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "False")
}

fn status(pod: &Pod, host: Ipv4Addr, address: Ipv4Addr, now: &Time) -> PodStatus {
    let spec = pod.spec.as_ref();
    let init = spec.and_then(|spec| spec.init_containers.as_ref()).into_iter().flatten();
    let init: Vec<_> = init.map(|one| container(pod, one, !is_sidecar(one), now)).collect();
    let containers = spec.into_iter().flat_map(|spec| &spec.containers);
    let conditions =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    PodStatus {
        phase: Some("Running".to_owned()),
        conditions: Some(conditions.map(|kind| condition(kind, now)).to_vec()),
        host_ip: Some(host.to_string()),
        host_ips: Some(vec![HostIP { ip: host.to_string() }]),
        pod_ip: Some(address.to_string()),
        pod_ips: Some(vec![PodIP { ip: address.to_string() }]),
        start_time: Some(now.clone()),
        init_container_statuses: (!init.is_empty()).then_some(init),
        container_statuses: Some(containers.map(|one| container(pod, one, false, now)).collect()),
        ..PodStatus::default()
    }
}

fn condition(kind: &str, now: &Time) -> PodCondition {
    PodCondition {
        type_: kind.to_owned(),
        status: "True".to_owned(),
        last_transition_time: Some(now.clone()),
        ..PodCondition::default()
    }
}

fn container(pod: &Pod, container: &Container, ends: bool, now: &Time) -> ContainerStatus {
    let id =
        format!("pretend://{}/{}", pod.metadata.uid.as_deref().unwrap_or_default(), container.name);
    let state = if ends {
        let terminated = ContainerStateTerminated {
            reason: Some("Completed".to_owned()),
            started_at: Some(now.clone()),
            finished_at: Some(now.clone()),
            container_id: Some(id.clone()),
            ..ContainerStateTerminated::default()
        };
        ContainerState { terminated: Some(terminated), ..ContainerState::default() }
    } else {
        let running = ContainerStateRunning { started_at: Some(now.clone()) };
        ContainerState { running: Some(running), ..ContainerState::default() }
    };
    ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        container_id: Some(id),
        ready: true,
        started: Some(!ends),
        state: Some(state),
        ..ContainerStatus::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(more: &Value) -> Pod {
        let mut pod = json!({
            "metadata": {"name": "p", "uid": "u"},
            "spec": {
                "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}],
                "containers": [{"name": "c", "image": "any:1"}],
            },
        });
        pod.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(pod).unwrap()
    }

    fn said(pod: &Pod) -> Value {
        let time = Time("2026-01-01T00:00:00Z".parse().unwrap());
        let address = || Ipv4Addr::new(198, 18, 0, 7);
        match answer(pod, Ipv4Addr::LOCALHOST, address, &time) {
            Some(Answer::Run(status)) => serde_json::to_value(status).unwrap(),
            Some(Answer::Delete) => json!("delete"),
            None => json!(null),
        }
    }

    #[test]
    fn a_pod_that_was_bound_runs_and_is_ready_at_once() {
        let status = said(&pod(&json!({"status": {"phase": "Pending"}})));
        assert_eq!(status["phase"], "Running");
        assert_eq!(status["podIP"], "198.18.0.7");
        let ready = status["conditions"].as_array().unwrap();
        assert!(ready.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"));
        assert_eq!(status["containerStatuses"][0]["ready"], true);
        assert!(status["containerStatuses"][0]["state"]["running"].is_object());
        assert_eq!(status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"], 0);
        assert!(status["initContainerStatuses"][1]["state"]["running"].is_object());
    }

    #[test]
    fn what_was_said_is_not_said_again_and_a_deleted_pod_ends() {
        assert_eq!(said(&pod(&json!({"status": {"phase": "Running"}}))), json!(null));
        assert_eq!(said(&pod(&json!({"status": {"phase": "Failed"}}))), json!(null));
        let going = json!({"name": "p", "deletionTimestamp": "2026-01-01T00:00:00Z"});
        let going = pod(&json!({"metadata": going, "status": {"phase": "Running"}}));
        assert_eq!(said(&going), json!("delete"));
    }

    #[test]
    fn a_pod_that_others_call_unready_is_ready_again_where_it_was() {
        let conditions = json!([{"type": "Ready", "status": "False"}]);
        let unready = json!({"phase": "Running", "podIP": "198.18.0.1", "conditions": conditions});
        let status = said(&pod(&json!({"status": unready})));
        assert_eq!((&status["phase"], &status["podIP"]), (&json!("Running"), &json!("198.18.0.1")));
        assert_eq!(status["conditions"][2]["status"], "True");
    }

    #[test]
    fn no_address_is_given_to_two_pods() {
        let mut addresses = Addresses::default();
        addresses.see(&pod(&json!({"status": {"podIP": "198.18.1.0"}})));
        addresses.see(&pod(&json!({"status": {"podIP": "10.244.0.9"}})));
        assert_eq!(addresses.next(), Ipv4Addr::new(198, 18, 1, 1));
        let last = Addresses { last: u32::MAX >> PREFIX }.next();
        assert_eq!(last, Ipv4Addr::new(198, 18, 0, 1));
    }
}
