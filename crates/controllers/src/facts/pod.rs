//! Pods: what the scheduler, the replica sets and the endpoints look at.

use std::collections::BTreeMap;

use flumen_quota::{Amount, Amounts};
use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::taint::Toleration;

/// The annotation that says which pods should go first.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pod {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) node: Option<String>,
    pub(crate) phase: Phase,
    /// Since when it is ready, if it is.
    pub(crate) ready_since: Option<Timestamp>,
    /// Since when it is ready, or not, if that was said.
    pub(crate) readiness_since: Option<Timestamp>,
    pub(crate) address: Option<String>,
    pub(crate) hostname: Option<String>,
    pub(crate) subdomain: Option<String>,
    /// The named container ports.
    pub(crate) ports: Vec<NamedPort>,
    pub(crate) requests: Amounts,
    pub(crate) created: Timestamp,
    /// Of the container, and of the sidecar, that was started again most often.
    pub(crate) restarts: (i32, i32),
    /// The lower, the sooner it goes when there are too many.
    pub(crate) deletion_cost: i32,
    /// Only while the pod waits for a node of the default scheduler.
    pub(crate) waiting: Option<Box<Constraints>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

impl Phase {
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedPort {
    pub(crate) name: String,
    pub(crate) number: i32,
    pub(crate) protocol: String,
}

/// What a pod asks of its node beside room.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Constraints {
    pub(crate) selector: BTreeMap<String, String>,
    /// Required node affinity: one of the terms must match.
    pub(crate) affinity: Option<Vec<core::NodeSelectorTerm>>,
    /// Preferred node affinity.
    pub(crate) preferences: Vec<core::PreferredSchedulingTerm>,
    pub(crate) tolerations: Vec<Toleration>,
    /// The names of the claims that are its volumes.
    pub(crate) claims: Vec<String>,
    /// The message of the last attempt, as it stands in the pod's status.
    pub(crate) refused: Option<String>,
    /// The pod's status says already that it has no node, for whatever reason.
    pub(crate) unscheduled: bool,
}

impl Constraints {
    /// Whether the same is asked, whatever was the answer so far.
    pub(crate) fn asks_as(&self, other: &Self) -> bool {
        let asks = |one: &Self| Self { refused: None, unscheduled: false, ..one.clone() };
        asks(self) == asks(other)
    }
}

impl From<&core::Pod> for Pod {
    fn from(pod: &core::Pod) -> Self {
        let spec = pod.spec.as_ref();
        let status = pod.status.as_ref();
        let node = spec.and_then(|spec| spec.node_name.clone()).filter(|name| !name.is_empty());
        let phase = phase(status.and_then(|status| status.phase.as_deref()));
        let waits = node.is_none() && !phase.is_final();
        Self {
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            node,
            phase,
            ready_since: status.and_then(ready_since),
            readiness_since: status.and_then(readiness_since),
            address: status
                .and_then(|status| status.pod_ip.clone())
                .filter(|address| !address.is_empty()),
            hostname: spec.and_then(|spec| spec.hostname.clone()),
            subdomain: spec.and_then(|spec| spec.subdomain.clone()),
            ports: spec.map(named_ports).unwrap_or_default(),
            requests: spec.map(requests).unwrap_or_default(),
            created: pod
                .metadata
                .creation_timestamp
                .as_ref()
                .map(|time| time.0)
                .unwrap_or_default(),
            restarts: (spec.zip(status))
                .map(|(spec, status)| restarts(spec, status))
                .unwrap_or_default(),
            deletion_cost: pod
                .metadata
                .annotations
                .as_ref()
                .and_then(|annotations| deletion_cost(annotations.get(DELETION_COST)?))
                .unwrap_or(0),
            waiting: spec
                .filter(|spec| waits && wants_default_scheduler(spec) && !is_gated(spec))
                .map(|spec| Box::new(constraints(spec, status))),
        }
    }
}

fn phase(text: Option<&str>) -> Phase {
    match text {
        Some("Running") => Phase::Running,
        Some("Succeeded") => Phase::Succeeded,
        Some("Failed") => Phase::Failed,
        Some("Unknown") => Phase::Unknown,
        _ => Phase::Pending,
    }
}

fn ready_since(status: &core::PodStatus) -> Option<Timestamp> {
    let condition = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "Ready" && condition.status == "True")?;
    Some(condition.last_transition_time.as_ref().map(|time| time.0).unwrap_or_default())
}

fn readiness_since(status: &core::PodStatus) -> Option<Timestamp> {
    let mut conditions = status.conditions.iter().flatten();
    let ready = conditions.find(|condition| condition.type_ == "Ready")?;
    ready.last_transition_time.as_ref().map(|time| time.0)
}

fn restarts(spec: &core::PodSpec, status: &core::PodStatus) -> (i32, i32) {
    let is_sidecar = |name: &str| {
        let mut init = spec.init_containers.iter().flatten();
        init.any(|container| container.name == name && is_sidecar(container))
    };
    let most = |counts: &mut dyn Iterator<Item = i32>| counts.max().unwrap_or(0);
    let containers = status.container_statuses.iter().flatten();
    let sidecars = status.init_container_statuses.iter().flatten();
    let sidecars = sidecars.filter(|container| is_sidecar(&container.name));
    (
        most(&mut containers.map(|container| container.restart_count)),
        most(&mut sidecars.map(|container| container.restart_count)),
    )
}

/// Neither a plus sign nor leading zeros are taken.
fn deletion_cost(text: &str) -> Option<i32> {
    let is_plain = text == "0" || text.starts_with(|first| matches!(first, '-' | '1'..='9'));
    text.parse().ok().filter(|_| is_plain)
}

fn named_ports(spec: &core::PodSpec) -> Vec<NamedPort> {
    let sidecars = spec.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    let ports = spec
        .containers
        .iter()
        .chain(sidecars)
        .flat_map(|container| container.ports.iter().flatten());
    ports
        .filter_map(|port| {
            let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
            Some(NamedPort { name: port.name.clone()?, number: port.container_port, protocol })
        })
        .collect()
}

fn is_sidecar(container: &core::Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn wants_default_scheduler(spec: &core::PodSpec) -> bool {
    spec.scheduler_name.as_deref().is_none_or(|name| name.is_empty() || name == "default-scheduler")
}

/// Somebody else has to say first that it may be scheduled.
fn is_gated(spec: &core::PodSpec) -> bool {
    spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty())
}

fn constraints(spec: &core::PodSpec, status: Option<&core::PodStatus>) -> Constraints {
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required =
        affinity.and_then(|node| node.required_during_scheduling_ignored_during_execution.as_ref());
    let preferred =
        affinity.and_then(|node| node.preferred_during_scheduling_ignored_during_execution.clone());
    let mut conditions = status.iter().flat_map(|status| status.conditions.iter().flatten());
    let unscheduled = conditions
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    let refused =
        unscheduled.filter(|condition| condition.reason.as_deref() == Some("Unschedulable"));
    let volumes = spec.volumes.iter().flatten();
    let claims = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
    Constraints {
        selector: spec.node_selector.clone().unwrap_or_default(),
        affinity: required.map(|required| required.node_selector_terms.clone()),
        preferences: preferred.unwrap_or_default(),
        tolerations: spec.tolerations.iter().flatten().map(Toleration::from).collect(),
        claims: claims.map(|claim| claim.claim_name.clone()).collect(),
        refused: refused.map(|condition| condition.message.clone().unwrap_or_default()),
        unscheduled: unscheduled.is_some(),
    }
}

/// What the pod needs at once, as the scheduler counts it: all containers and sidecars together, or the largest step of the
/// initialisation (with the sidecars started before it), plus the overhead of its runtime.
fn requests(spec: &core::PodSpec) -> Amounts {
    let mut sidecars = Amounts::new();
    let mut largest = Amounts::new();
    for container in spec.init_containers.iter().flatten() {
        let own = container_requests(container);
        if is_sidecar(container) {
            add(&mut sidecars, &own);
            raise(&mut largest, &sidecars);
        } else {
            let mut step = sidecars.clone();
            add(&mut step, &own);
            raise(&mut largest, &step);
        }
    }
    let mut total = sidecars;
    for container in &spec.containers {
        add(&mut total, &container_requests(container));
    }
    raise(&mut total, &largest);
    let overhead =
        spec.overhead.iter().flatten().map(|(name, quantity)| (name.clone(), amount(quantity)));
    add(&mut total, &overhead.collect());
    total.insert("pods".to_owned(), Amount::count(1));
    total
}

fn container_requests(container: &core::Container) -> Amounts {
    let Some(resources) = &container.resources else { return Amounts::new() };
    let limits = resources.limits.iter().flatten();
    let mut own: Amounts =
        limits.map(|(name, quantity)| (name.clone(), amount(quantity))).collect();
    own.extend(
        resources
            .requests
            .iter()
            .flatten()
            .map(|(name, quantity)| (name.clone(), amount(quantity))),
    );
    own
}

/// A quantity that cannot be read counts as more than any node has: such a pod waits instead of taking what it may not.
fn amount(quantity: &Quantity) -> Amount {
    Amount::parse(&quantity.0).unwrap_or_else(|| Amount::count(usize::MAX))
}

fn add(total: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = total.get(name).copied().unwrap_or_default().plus(*amount);
        total.insert(name.clone(), sum);
    }
}

fn raise(total: &mut Amounts, least: &Amounts) {
    for (name, amount) in least {
        let larger = total.get(name).copied().unwrap_or_default().max(*amount);
        total.insert(name.clone(), larger);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn facts(spec: &Value) -> Pod {
        let pod: core::Pod =
            serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("pod");
        Pod::from(&pod)
    }

    fn asks(cpu: &str, memory: &str) -> Value {
        json!({"requests": {"cpu": cpu, "memory": memory}})
    }

    fn request(pod: &Pod, name: &str) -> Option<Amount> {
        pod.requests.get(name).copied()
    }

    #[test]
    fn containers_are_added_up_and_init_containers_are_not() {
        let pod = facts(&json!({
            "initContainers": [{"name": "i", "resources": asks("100m", "3Gi")}, {"name": "j", "resources": asks("2", "1Gi")}],
            "containers": [{"name": "a", "resources": asks("500m", "1Gi")}, {"name": "b", "resources": asks("1.0", "1Gi")}],
        }));
        assert_eq!(request(&pod, "cpu"), Amount::parse("2"));
        assert_eq!(request(&pod, "memory"), Amount::parse("3Gi"));
        assert_eq!(request(&pod, "pods"), Amount::parse("1"));
    }

    #[test]
    fn sidecars_count_beside_the_containers_and_beside_later_steps() {
        let pod = facts(&json!({
            "initContainers": [
                {"name": "s", "restartPolicy": "Always", "resources": asks("1", "1Gi")},
                {"name": "i", "resources": asks("3", "1Mi")},
            ],
            "containers": [{"name": "a", "resources": asks("500m", "1Gi")}],
        }));
        assert_eq!(request(&pod, "cpu"), Amount::parse("4"));
        assert_eq!(request(&pod, "memory"), Amount::parse("2Gi"));
    }

    #[test]
    fn a_limit_stands_for_a_missing_request() {
        let pod = facts(
            &json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1"}}}]}),
        );
        assert_eq!(request(&pod, "cpu"), Amount::parse("1"));
        assert_eq!(request(&pod, "memory"), Amount::parse("1Gi"));
    }

    #[test]
    fn a_cost_of_deletion_is_a_plain_number_or_nothing() {
        for (text, expected) in [
            ("-7", Some(-7)),
            ("10", Some(10)),
            ("0", Some(0)),
            ("+10", None),
            ("008", None),
            ("2147483648", None),
            ("", None),
            ("ten", None),
        ] {
            assert_eq!(deletion_cost(text), expected, "{text}");
        }
    }

    #[test]
    fn the_container_that_was_started_again_most_often_counts() {
        let pod: core::Pod = serde_json::from_value(json!({
            "metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "5"}},
            "spec": {"initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}, {"name": "t", "restartPolicy": "Always"}], "containers": []},
            "status": {
                "containerStatuses": [started("a", 2), started("b", 3)],
                "initContainerStatuses": [started("t", 1), started("i", 9), started("s", 4)],
            },
        }))
        .expect("pod");
        let facts = Pod::from(&pod);
        assert_eq!((facts.restarts, facts.deletion_cost), ((3, 4), 5));
    }

    fn started(name: &str, again: i32) -> Value {
        json!({"name": name, "restartCount": again, "ready": true, "image": "a", "imageID": ""})
    }

    #[test]
    fn what_cannot_be_read_is_more_than_any_node_has() {
        let pod = facts(&json!({"containers": [{"name": "a", "resources": asks("1e400", "x")}]}));
        let most = Amount::parse("7Ei").expect("quantity");
        assert!(pod.requests["cpu"] > most && pod.requests["memory"] > most);
    }

    #[test]
    fn only_a_pod_without_node_that_wants_the_default_scheduler_waits() {
        assert!(facts(&json!({"containers": []})).waiting.is_some());
        assert!(
            facts(&json!({"containers": [], "schedulerName": "default-scheduler"}))
                .waiting
                .is_some()
        );
        assert!(facts(&json!({"containers": [], "schedulerName": "volcano"})).waiting.is_none());
        assert!(facts(&json!({"containers": [], "nodeName": "n"})).waiting.is_none());
        let gated = json!({"containers": [], "schedulingGates": [{"name": "example.com/budget"}]});
        assert!(facts(&gated).waiting.is_none());
        assert!(facts(&json!({"containers": [], "schedulingGates": []})).waiting.is_some());
    }
}
