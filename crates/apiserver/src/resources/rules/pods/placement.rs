//! What is wrong with where a pod wants to run.

use serde_json::Value;

use super::{list, text};
use crate::{failure::Cause, resources::rules::names};

const OPERATORS: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

pub(super) fn check(spec: &Value, field: &str, causes: &mut Vec<Cause>) {
    let node = text(spec, "/nodeName");
    if !node.is_empty()
        && let Some(problem) = names::subdomain_problem(node)
    {
        causes.push(Cause::invalid(format!("{field}.nodeName"), &node.into(), &problem));
    }
    names::check_labels(spec.get("nodeSelector"), &format!("{field}.nodeSelector"), causes);
    for (position, toleration) in list(spec, "tolerations").enumerate() {
        check_toleration(toleration, &format!("{field}.tolerations[{position}]"), causes);
    }
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    if let Some(selector) = spec.pointer(&format!("/affinity/nodeAffinity/{required}")) {
        check_terms(selector, &format!("{field}.affinity.nodeAffinity.{required}"), causes);
    }
}

fn check_toleration(toleration: &Value, field: &str, causes: &mut Vec<Cause>) {
    let field = format!("{field}.operator");
    let (key, operator) = (text(toleration, "/key"), text(toleration, "/operator"));
    let value = text(toleration, "/value");
    if key.is_empty() && operator != "Exists" {
        let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        causes.push(Cause::invalid(&field, &operator.into(), detail));
    }
    if operator == "Exists" && !value.is_empty() {
        let detail = "value must be empty when `operator` is 'Exists'";
        causes.push(Cause::invalid(&field, &value.into(), detail));
    }
    if !["", "Equal", "Exists"].contains(&operator) {
        causes.push(Cause::unsupported(&field, &operator.into(), &["Equal", "Exists"]));
    }
}

fn check_terms(selector: &Value, field: &str, causes: &mut Vec<Cause>) {
    let field = format!("{field}.nodeSelectorTerms");
    if list(selector, "nodeSelectorTerms").next().is_none() {
        causes.push(Cause::required(&field, "must have at least one node selector term"));
    }
    for (number, term) in list(selector, "nodeSelectorTerms").enumerate() {
        for (position, expression) in list(term, "matchExpressions").enumerate() {
            let operator = text(expression, "/operator");
            if !OPERATORS.contains(&operator) {
                let place = format!("{field}[{number}].matchExpressions[{position}].operator");
                let detail = "not a valid selector operator";
                causes.push(Cause::invalid(place, &operator.into(), detail));
            }
        }
    }
}
