//! Nodes: what the scheduler looks at, and what says whether they are there.

use std::collections::BTreeMap;

use flumen_quota::{Amount, Amounts};
use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;

use super::taint::NO_EXECUTE;

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Node {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) allocatable: Amounts,
    pub(crate) taints: Vec<core::Taint>,
    /// Cordoned.
    pub(crate) unschedulable: bool,
    pub(crate) ready: Ready,
    /// When its kubelet last wrote its status.
    pub(crate) heartbeat: Option<Timestamp>,
}

/// What the condition `Ready` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ready {
    /// Its kubelet never said anything.
    #[default]
    Never,
    Yes,
    No,
    /// Its kubelet has not been heard for too long.
    Unknown,
}

impl Node {
    /// What decides which pods it gets.
    pub(crate) fn offer(&self) -> impl PartialEq {
        (&self.labels, &self.allocatable, &self.taints, self.unschedulable)
    }

    /// The taints that drive pods away.
    pub(crate) fn evicts(&self) -> impl Iterator<Item = &core::Taint> {
        self.taints.iter().filter(|taint| taint.effect == NO_EXECUTE)
    }
}

impl From<&core::Node> for Node {
    fn from(node: &core::Node) -> Self {
        let spec = node.spec.as_ref();
        let status = node.status.as_ref();
        let allocatable =
            status.and_then(|status| status.allocatable.as_ref().or(status.capacity.as_ref()));
        let conditions = status.into_iter().flat_map(|status| status.conditions.iter().flatten());
        let ready = conditions.into_iter().find(|condition| condition.type_ == "Ready");
        let heartbeat = ready.and_then(|ready| ready.last_heartbeat_time.as_ref());
        Self {
            labels: node.metadata.labels.clone().unwrap_or_default(),
            // What cannot be read is not there to be given away.
            allocatable: allocatable
                .into_iter()
                .flatten()
                .filter_map(|(name, text)| Some((name.clone(), Amount::parse(&text.0)?)))
                .collect(),
            taints: spec.and_then(|spec| spec.taints.clone()).unwrap_or_default(),
            unschedulable: spec.and_then(|spec| spec.unschedulable).unwrap_or(false),
            ready: match ready.map(|ready| ready.status.as_str()) {
                None => Ready::Never,
                Some("True") => Ready::Yes,
                Some("False") => Ready::No,
                Some(_) => Ready::Unknown,
            },
            heartbeat: heartbeat.map(|time| time.0),
        }
    }
}
