//! Whether a pod fits a node, and the scheduler's words when it fits none.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm};

use crate::facts::{Constraints, Key, Node, Requests, Taint, Toleration};
use crate::quantity::Amount;

/// A node with what its pods take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) key: &'a Key,
    pub(crate) node: &'a Node,
    pub(crate) used: Option<&'a Requests>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Bind it to this node.
    Bind(String),
    /// No node will do; the message says why.
    Unschedulable(String),
}

/// The node for a pod: of those that fit, the one with the most room left.
pub(crate) fn place(
    requests: &Requests,
    constraints: &Constraints,
    nodes: &[Candidate<'_>],
) -> Outcome {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut best: Option<(Amount, Amount, &str)> = None;
    for candidate in nodes {
        let refusals = refusals(requests, constraints, candidate);
        if refusals.is_empty() {
            let room =
                (free(candidate, "memory"), free(candidate, "cpu"), candidate.key.name.as_str());
            // Equal nodes are taken in the order of their names.
            let better = best.is_none_or(|best| {
                (room.0, room.1) > (best.0, best.1)
                    || ((room.0, room.1) == (best.0, best.1) && room.2 < best.2)
            });
            if better {
                best = Some(room);
            }
        }
        for refusal in refusals {
            *reasons.entry(refusal).or_default() += 1;
        }
    }
    match best {
        Some((.., name)) => Outcome::Bind(name.to_owned()),
        None => Outcome::Unschedulable(message(nodes.len(), &reasons)),
    }
}

fn message(nodes: usize, reasons: &BTreeMap<String, usize>) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut parts: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    parts.sort();
    format!("0/{nodes} nodes are available: {}.", parts.join(", "))
}

/// Why the node will not do; empty if it will. Like the real scheduler, all lacking resources but only the first other reason.
fn refusals(
    requests: &Requests,
    constraints: &Constraints,
    candidate: &Candidate<'_>,
) -> Vec<String> {
    let node = candidate.node;
    if node.unschedulable && !tolerates(&constraints.tolerations, &cordon()) {
        return vec!["node(s) were unschedulable".to_owned()];
    }
    let refused = |taint: &&Taint| {
        taint.effect != "PreferNoSchedule" && !tolerates(&constraints.tolerations, taint)
    };
    if let Some(taint) = node.taints.iter().find(refused) {
        return vec![format!("node(s) had untolerated taint {{{}: {}}}", taint.key, taint.value)];
    }
    if !matches_node(constraints, candidate) {
        return vec!["node(s) didn't match Pod's node affinity/selector".to_owned()];
    }
    let lacking = requests
        .iter()
        .filter(|(name, amount)| **amount > Amount::default() && free(candidate, name) < **amount);
    lacking
        .map(|(name, _)| {
            if name == "pods" { "Too many pods".to_owned() } else { format!("Insufficient {name}") }
        })
        .collect()
}

fn free(candidate: &Candidate<'_>, resource: &str) -> Amount {
    let of = |amounts: &Requests| amounts.get(resource).copied().unwrap_or_default();
    of(&candidate.node.allocatable) - candidate.used.map(of).unwrap_or_default()
}

fn cordon() -> Taint {
    Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        value: String::new(),
        effect: "NoSchedule".to_owned(),
    }
}

fn tolerates(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| {
        (toleration.effect.is_empty() || toleration.effect == taint.effect)
            && (toleration.key == taint.key || (toleration.key.is_empty() && toleration.exists))
            && (toleration.exists || toleration.value == taint.value)
    })
}

fn matches_node(constraints: &Constraints, candidate: &Candidate<'_>) -> bool {
    let labels = &candidate.node.labels;
    let selected = constraints.selector.iter().all(|(key, value)| labels.get(key) == Some(value));
    let wanted = constraints
        .affinity
        .as_ref()
        .is_none_or(|terms| terms.iter().any(|term| matches_term(term, candidate)));
    selected && wanted
}

/// A term without any requirement matches nothing.
fn matches_term(term: &NodeSelectorTerm, candidate: &Candidate<'_>) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    let label = |requirement: &NodeSelectorRequirement| {
        candidate.node.labels.get(&requirement.key).map(String::as_str)
    };
    let name = |requirement: &NodeSelectorRequirement| {
        (requirement.key == "metadata.name").then_some(candidate.key.name.as_str())
    };
    !(expressions.is_empty() && fields.is_empty())
        && expressions
            .iter()
            .all(|requirement| matches_requirement(requirement, label(requirement)))
        && fields.iter().all(|requirement| matches_requirement(requirement, name(requirement)))
}

fn matches_requirement(requirement: &NodeSelectorRequirement, actual: Option<&str>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let listed = actual.is_some_and(|actual| values.iter().any(|value| value == actual));
    let number = || Some((actual?.parse::<i64>().ok()?, values.first()?.parse::<i64>().ok()?));
    match requirement.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => actual.is_some(),
        "DoesNotExist" => actual.is_none(),
        "Gt" => number().is_some_and(|(actual, value)| actual > value),
        "Lt" => number().is_some_and(|(actual, value)| actual < value),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
