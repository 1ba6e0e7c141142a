//! Nodes: what the scheduler looks at.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;

use super::pod::Requests;
use crate::quantity::Amount;

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Node {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) allocatable: Requests,
    pub(crate) taints: Vec<Taint>,
    /// Cordoned.
    pub(crate) unschedulable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taint {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) effect: String,
}

impl From<&core::Node> for Node {
    fn from(node: &core::Node) -> Self {
        let spec = node.spec.as_ref();
        let status = node.status.as_ref();
        let allocatable =
            status.and_then(|status| status.allocatable.as_ref().or(status.capacity.as_ref()));
        let taints = spec.iter().flat_map(|spec| spec.taints.iter().flatten());
        let taints = taints.map(|taint| Taint {
            key: taint.key.clone(),
            value: taint.value.clone().unwrap_or_default(),
            effect: taint.effect.clone(),
        });
        Self {
            labels: node.metadata.labels.clone().unwrap_or_default(),
            // What cannot be read is not there to be given away.
            allocatable: allocatable
                .into_iter()
                .flatten()
                .filter_map(|(name, text)| Some((name.clone(), Amount::parse(&text.0)?)))
                .collect(),
            taints: taints.chain(status.and_then(ailment)).collect(),
            unschedulable: spec.and_then(|spec| spec.unschedulable).unwrap_or(false),
        }
    }
}

/// The taint that a node lifecycle controller would give to a node that says it is not ready.
fn ailment(status: &core::NodeStatus) -> Option<Taint> {
    let ready = status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready")?;
    let key = match ready.status.as_str() {
        "True" => return None,
        "False" => "node.kubernetes.io/not-ready",
        _ => "node.kubernetes.io/unreachable",
    };
    Some(Taint { key: key.to_owned(), value: String::new(), effect: "NoSchedule".to_owned() })
}
