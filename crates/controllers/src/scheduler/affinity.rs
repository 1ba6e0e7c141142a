//! Terms by which pods choose nodes.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm};

use super::fit::Candidate;
use crate::facts::Constraints;

/// The only field of a node that terms may ask for.
const NAME: &str = "metadata.name";

/// The node's labels are those of the selector, and one of the required terms matches.
pub(super) fn is_chosen(constraints: &Constraints, candidate: &Candidate<'_>) -> bool {
    let labels = &candidate.node.labels;
    let selected = constraints.selector.iter().all(|(key, value)| labels.get(key) == Some(value));
    let wanted = constraints
        .affinity
        .as_ref()
        .is_none_or(|terms| terms.iter().any(|term| matches(term, candidate)));
    selected && wanted
}

/// The sum of the weights of the preferences that the node meets.
pub(super) fn preference(constraints: &Constraints, candidate: &Candidate<'_>) -> i64 {
    let met = constraints.preferences.iter().filter(|term| matches(&term.preference, candidate));
    met.map(|term| i64::from(term.weight)).sum()
}

/// The nodes that the required terms name; `None` if one of them names none and any node may do.
pub(super) fn named(constraints: &Constraints) -> Option<BTreeSet<&str>> {
    let mut all = BTreeSet::new();
    for term in constraints.affinity.as_ref().filter(|terms| !terms.is_empty())? {
        let lists = term
            .match_fields
            .iter()
            .flatten()
            .filter(|field| field.key == NAME && field.operator == "In");
        let mut of_term: Option<BTreeSet<&str>> = None;
        for list in lists {
            let names: BTreeSet<&str> = list.values.iter().flatten().map(String::as_str).collect();
            of_term = Some(match of_term {
                Some(before) => before.intersection(&names).copied().collect(),
                None => names,
            });
        }
        all.extend(of_term?);
    }
    Some(all)
}

/// A term without any requirement matches nothing.
fn matches(term: &NodeSelectorTerm, candidate: &Candidate<'_>) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    let label = |requirement: &NodeSelectorRequirement| {
        candidate.node.labels.get(&requirement.key).map(String::as_str)
    };
    let name = |requirement: &NodeSelectorRequirement| {
        (requirement.key == NAME).then_some(candidate.key.name.as_str())
    };
    !(expressions.is_empty() && fields.is_empty())
        && expressions.iter().all(|requirement| is_met(requirement, label(requirement)))
        && fields.iter().all(|requirement| is_met(requirement, name(requirement)))
}

fn is_met(requirement: &NodeSelectorRequirement, actual: Option<&str>) -> bool {
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
