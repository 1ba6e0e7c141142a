//! Quotas.

use serde_json::{Value, json};

use super::{Rules, qualified_problems};
use crate::{failure::Cause, resources::quantity};

/// What is counted in whole ones.
const WHOLE: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];
const AMOUNTS: [&str; 10] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];
const OF_PODS: [&str; 7] =
    ["pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
/// What a pod is, or is not.
const PLAIN_SCOPES: [&str; 5] =
    ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
const OTHER_SCOPES: [&str; 2] = ["PriorityClass", "VolumeAttributesClass"];
const BILLION: i128 = 1_000_000_000;

/// Quotas.
pub(crate) struct Quotas;

impl Rules for Quotas {
    fn complete(&self, object: &mut Value) {
        // Both are written also where nothing was said.
        for part in ["spec", "status"] {
            if object.get(part).is_none() {
                object[part] = json!({});
            }
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({});
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        check_amounts(object, "spec", "hard", &mut causes);
        check_scopes(object, &mut causes);
        check_selector(object, &mut causes);
        causes
    }

    fn validate_status(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        for part in ["hard", "used"] {
            check_amounts(object, "status", part, &mut causes);
        }
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let sorted = |object: &Value| {
            let mut scopes = scopes(object);
            scopes.sort_unstable();
            scopes.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        if sorted(new) == sorted(old) {
            return Vec::new();
        }
        vec![Cause::invalid("spec.scopes", &json!(scopes(new)), "field is immutable")]
    }
}

fn check_amounts(object: &Value, part: &str, list: &str, causes: &mut Vec<Cause>) {
    let amounts = object.pointer(&format!("/{part}/{list}")).and_then(Value::as_object);
    for (name, amount) in amounts.into_iter().flatten() {
        let place = format!("{part}.{list}[{name}]");
        let value = name.as_str().into();
        let mut problems = qualified_problems(name);
        if problems.is_empty() && !name.contains('/') && !is_standard(name) {
            problems.push("must be a standard resource type or fully qualified".to_owned());
        }
        if !name.contains('/') && !is_standard(name) {
            problems.push("must be a standard resource for quota".to_owned());
        }
        causes.extend(problems.iter().map(|problem| Cause::invalid(&*place, &value, problem)));
        let Some(number) = amount.as_str().and_then(quantity::parse) else { continue };
        if number < 0 {
            causes.push(Cause::invalid(&*place, amount, "must be greater than or equal to 0"));
        }
        let is_extended = name.contains('/')
            && !name.contains("kubernetes.io/")
            && !name.starts_with("requests.")
            && qualified_problems(&format!("requests.{name}")).is_empty();
        if (WHOLE.contains(&name.as_str()) || is_extended) && number % BILLION != 0 {
            causes.push(Cause::invalid(place, amount, "must be an integer"));
        }
    }
}

fn is_standard(name: &str) -> bool {
    let huge = name.strip_prefix("requests.").unwrap_or(name).starts_with("hugepages-");
    WHOLE.contains(&name) || AMOUNTS.contains(&name) || huge
}

fn scopes(object: &Value) -> Vec<&str> {
    let scopes = object.pointer("/spec/scopes").and_then(Value::as_array).into_iter().flatten();
    scopes.filter_map(Value::as_str).collect()
}

fn check_scopes(object: &Value, causes: &mut Vec<Cause>) {
    let scopes = scopes(object);
    let whole = json!(scopes);
    let mut add = |detail: &str| causes.push(Cause::invalid("spec.scopes", &whole, detail));
    for scope in &scopes {
        if !PLAIN_SCOPES.contains(scope) && !OTHER_SCOPES.contains(scope) {
            add("unsupported scope");
        }
        (0..misfits(object, scope)).for_each(|_| add("unsupported scope applied to resource"));
    }
    (0..contradictions(&scopes)).for_each(|_| add("conflicting scopes"));
}

/// How many of the quota's amounts a scope has nothing to do with.
fn misfits(object: &Value, scope: &str) -> usize {
    let hard = object.pointer("/spec/hard").and_then(Value::as_object).into_iter().flatten();
    let fits = |name: &str| match scope {
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        other if PLAIN_SCOPES.contains(&other) || other == "PriorityClass" => {
            OF_PODS.contains(&name)
        }
        _ => true,
    };
    hard.filter(|(name, _)| is_standard(name) && !fits(name)).count()
}

fn contradictions(scopes: &[&str]) -> usize {
    let pairs = [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")];
    pairs.iter().filter(|(one, other)| scopes.contains(one) && scopes.contains(other)).count()
}

fn check_selector(object: &Value, causes: &mut Vec<Cause>) {
    const PLACE: &str = "spec.scopeSelector.matchExpressions";
    let selector = object.pointer("/spec/scopeSelector").unwrap_or(&Value::Null);
    let list = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    let mut named = Vec::new();
    for expression in list {
        let scope = super::text(expression, "/scopeName");
        if !PLAIN_SCOPES.contains(&scope) && !OTHER_SCOPES.contains(&scope) {
            let place = format!("{PLACE}.scopeName");
            causes.push(Cause::invalid(place, &scope.into(), "unsupported scope"));
        }
        for _ in 0..misfits(object, scope) {
            let detail = "unsupported scope applied to resource";
            causes.push(Cause::invalid(PLACE, selector, detail));
        }
        check_operator(expression, scope, PLACE, causes);
        named.push(scope);
    }
    for _ in 0..contradictions(&named) {
        let scopes = object.pointer("/spec/scopes").unwrap_or(&Value::Null);
        causes.push(Cause::invalid(PLACE, scopes, "conflicting scopes"));
    }
}

fn check_operator(expression: &Value, scope: &str, place: &str, causes: &mut Vec<Cause>) {
    let operator = super::text(expression, "/operator");
    let values = expression.get("values").unwrap_or(&Value::Null);
    let any = values.as_array().is_some_and(|values| !values.is_empty());
    if PLAIN_SCOPES.contains(&scope) && operator != "Exists" {
        let detail = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
        causes.push(Cause::invalid(format!("{place}.operator"), &operator.into(), detail));
    }
    match operator {
        "In" | "NotIn" if !any => {
            let detail =
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
            causes.push(Cause::required(format!("{place}.values"), detail));
        }
        "Exists" | "DoesNotExist" if any => {
            let detail =
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
            causes.push(Cause::invalid(format!("{place}.values"), values, detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => {
            let detail = "not a valid selector operator";
            causes.push(Cause::invalid(format!("{place}.operator"), &other.into(), detail));
        }
    }
}
