//! Whether a pod fits a node.

use flumen_quota::{Amount, Amounts};
use k8s_openapi::api::core::v1 as core;

use super::words::{self, Refusal};
use super::{affinity, score};
use crate::facts::{Constraints, Key, NO_SCHEDULE, Node, PREFER_NO_SCHEDULE, is_tolerated};

/// A node with what its pods take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) key: &'a Key,
    pub(crate) node: &'a Node,
    pub(crate) used: Option<&'a Amounts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Bind it to this node.
    Bind(String),
    /// No node will do; the message says why.
    Unschedulable(String),
}

/// The node for a pod, or why there is none.
pub(crate) fn place(
    requests: &Amounts,
    constraints: &Constraints,
    nodes: &[Candidate<'_>],
) -> Outcome {
    if nodes.is_empty() {
        return Outcome::Unschedulable("no nodes available to schedule pods".to_owned());
    }
    let named = affinity::named(constraints);
    if named.as_ref().is_some_and(std::collections::BTreeSet::is_empty) {
        let message = words::of_pod(nodes.len(), "pod affinity terms conflict");
        return Outcome::Unschedulable(message);
    }
    let mut fitting = Vec::new();
    let mut refusals = Vec::new();
    for candidate in nodes {
        let is_named =
            named.as_ref().is_none_or(|named| named.contains(candidate.key.name.as_str()));
        let refusal = if is_named {
            refusal(requests, constraints, candidate)
        } else {
            Some(Refusal::because("node(s) didn't satisfy plugin(s) [NodeAffinity]"))
        };
        match refusal {
            Some(refusal) => refusals.push(refusal),
            None => fitting.push(candidate),
        }
    }
    match score::best(requests, constraints, &fitting) {
        Some(name) => Outcome::Bind(name.to_owned()),
        None => Outcome::Unschedulable(words::of_nodes(&refusals)),
    }
}

/// Why the node will not do. Like the real scheduler, all lacking resources but only the first other reason.
fn refusal(
    requests: &Amounts,
    constraints: &Constraints,
    candidate: &Candidate<'_>,
) -> Option<Refusal> {
    let node = candidate.node;
    if node.unschedulable && !is_tolerated(&constraints.tolerations, &cordon()) {
        return Some(Refusal::because("node(s) were unschedulable"));
    }
    let refuses = |taint: &core::Taint| {
        taint.effect != PREFER_NO_SCHEDULE && !is_tolerated(&constraints.tolerations, taint)
    };
    if node.taints.iter().any(refuses) {
        return Some(Refusal::because("node(s) had untolerated taint(s)"));
    }
    if !affinity::is_chosen(constraints, candidate) {
        return Some(Refusal::because("node(s) didn't match Pod's node affinity/selector"));
    }
    lack(requests, candidate)
}

fn lack(requests: &Amounts, candidate: &Candidate<'_>) -> Option<Refusal> {
    let used = |name| candidate.used.map(|used| amount(used, name)).unwrap_or_default();
    let whole = |name| amount(&candidate.node.allocatable, name);
    let lacking: Vec<_> = requests
        .iter()
        .filter(|(name, asked)| {
            **asked > Amount::default() && used(name).plus(**asked) > whole(name)
        })
        .collect();
    let reason = |name: &String| {
        if name == "pods" { "Too many pods".to_owned() } else { format!("Insufficient {name}") }
    };
    (!lacking.is_empty()).then(|| Refusal {
        reasons: lacking.iter().map(|(name, _)| reason(name)).collect(),
        is_full: lacking
            .iter()
            .all(|(name, asked)| name.as_str() == "pods" || **asked <= whole(name)),
    })
}

pub(super) fn amount(amounts: &Amounts, resource: &str) -> Amount {
    amounts.get(resource).copied().unwrap_or_default()
}

fn cordon() -> core::Taint {
    core::Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        effect: NO_SCHEDULE.to_owned(),
        ..core::Taint::default()
    }
}

#[cfg(test)]
mod tests;
