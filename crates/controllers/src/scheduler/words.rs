//! The scheduler's words when no node will do, as kube-scheduler 1.34 says them.

use std::collections::BTreeMap;

/// Why one node will not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reasons: Vec<String>,
    /// It would do if other pods went.
    pub(super) is_full: bool,
}

impl Refusal {
    pub(super) fn because(reason: impl Into<String>) -> Self {
        Self { reasons: vec![reason.into()], is_full: false }
    }
}

/// What is said of all nodes together.
pub(super) fn of_nodes(refusals: &[Refusal]) -> String {
    let reasons = refusals.iter().flat_map(|refusal| refusal.reasons.iter().map(String::as_str));
    let full = refusals.iter().filter(|refusal| refusal.is_full).count();
    format!(
        "{}. {}",
        available(refusals.len(), &histogram(reasons)),
        afterwards(refusals.len(), full)
    )
}

/// What is said where the pod itself stands in the way, whatever the node. The real scheduler ends it so, because its search for
/// pods that could make room finds no node.
pub(super) fn of_pod(nodes: usize, obstacle: &str) -> String {
    format!("{}. not found", available(nodes, obstacle))
}

/// What came of the search for pods that could make room.
fn afterwards(nodes: usize, full: usize) -> String {
    let reasons = (0..nodes).map(|node| {
        if node < full {
            "No preemption victims found for incoming pod"
        } else {
            "Preemption is not helpful for scheduling"
        }
    });
    format!("no new claims to deallocate, preemption: {}.", available(nodes, &histogram(reasons)))
}

fn available(nodes: usize, why: &str) -> String {
    format!("0/{nodes} nodes are available: {why}")
}

fn histogram<'a>(reasons: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut parts: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    parts.sort();
    parts.join(", ")
}
