//! What a client should know of a pod that is valid and yet perhaps not what was meant.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{list, text};
use crate::resources::quantity;

/// So many warnings nobody reads: each of many ports that are the same would be told of with each other one.
const MOST: usize = 1000;

/// Warnings about a pod or a template; `field` is the place of the template and ends with a dot, or is empty.
pub(in crate::resources::rules) fn of(pod: &Value, field: &str) -> Vec<String> {
    let null = Value::Null;
    let spec = pod.get("spec").unwrap_or(&null);
    let place = format!("{field}spec");
    let mut warnings = Vec::new();
    repeated(spec, ("hostAliases", "ip"), &place, &mut warnings);
    repeated(spec, ("imagePullSecrets", "name"), &place, &mut warnings);
    for (position, secret) in list(spec, "imagePullSecrets").enumerate() {
        if text(secret, "/name").is_empty() {
            let place = format!("{place}.imagePullSecrets[{position}].name");
            warnings.push(format!("{place}: invalid empty name \"\""));
        }
    }
    for (place, container) in containers(spec, &place) {
        amounts(container, &place, &mut warnings);
        variables(container, &place, &mut warnings);
    }
    ports(spec, &place, &mut warnings);
    let grace = spec.get("terminationGracePeriodSeconds").and_then(Value::as_i64);
    if grace.is_some_and(|grace| grace < 0) {
        warnings.push(format!(
            "{place}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    warnings
}

fn containers<'a>(spec: &'a Value, place: &str) -> Vec<(String, &'a Value)> {
    let mut all = Vec::new();
    for group in ["initContainers", "containers", "ephemeralContainers"] {
        let own = list(spec, group).enumerate();
        all.extend(own.map(|(position, one)| (format!("{place}.{group}[{position}]"), one)));
    }
    all
}

fn repeated(spec: &Value, (name, key): (&str, &str), place: &str, warnings: &mut Vec<String>) {
    let mut seen = HashSet::new();
    for (position, item) in list(spec, name).enumerate() {
        let value = text(item, &format!("/{key}"));
        if !seen.insert(value) {
            let place = format!("{place}.{name}[{position}].{key}");
            warnings.push(format!("{place}: duplicate {key} \"{value}\""));
        }
    }
}

fn amounts(container: &Value, place: &str, warnings: &mut Vec<String>) {
    for resource in ["memory", "ephemeral-storage"] {
        for kind in ["limits", "requests"] {
            let value = text(container, &format!("/resources/{kind}/{resource}"));
            if quantity::is_fractional(value) {
                warnings.push(format!(
                    "{place}.resources.{kind}[{resource}]: fractional byte value \"{value}\" is invalid, must be an integer"
                ));
            }
        }
    }
}

fn variables(container: &Value, place: &str, warnings: &mut Vec<String>) {
    let mut seen = HashSet::new();
    for (position, variable) in list(container, "env").enumerate() {
        let name = text(variable, "/name");
        let reference = format!("$({name})");
        let value = text(variable, "/value");
        let builds_on =
            variable.get("valueFrom").is_none() && value != reference && value.contains(&reference);
        if !seen.insert(name) && !builds_on {
            warnings.push(format!(
                "{place}.env[{position}]: hides previous definition of \"{name}\", which may be dropped when using apply"
            ));
        }
    }
}

fn ports(spec: &Value, place: &str, warnings: &mut Vec<String>) {
    let mut all: Vec<(String, &Value)> = Vec::new();
    for (place, container) in containers(spec, place) {
        let own = list(container, "ports").enumerate();
        all.extend(own.map(|(position, port)| (format!("{place}.ports[{position}]"), port)));
    }
    let number = |port: &Value, name: &str| port.get(name).and_then(Value::as_i64).unwrap_or(0);
    let mut same: HashMap<(i64, &str), Vec<&(String, &Value)>> = HashMap::new();
    for one in &all {
        let (place, port) = one;
        let others = same.entry((number(port, "containerPort"), text(port, "/protocol")));
        let others = others.or_default();
        for (other_place, other) in others.iter().copied() {
            if warnings.len() >= MOST {
                break;
            }
            let (host, other_host) = (number(port, "hostPort"), number(other, "hostPort"));
            let (address, other_address) = (text(port, "/hostIP"), text(other, "/hostIP"));
            let what = if address == other_address && host == other_host {
                "duplicate"
            } else if host == 0 || other_host == 0 {
                "overlapping"
            } else if host == other_host && address.is_empty() != other_address.is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            warnings.push(format!("{place}: {what} port definition with {other_place}"));
        }
        if others.len() < MOST {
            others.push(one);
        }
    }
    let mut names: HashMap<&str, &str> = HashMap::new();
    for (place, port) in &all {
        let name = text(port, "/name");
        match names.get(name) {
            Some(other) if !name.is_empty() => warnings.push(format!(
                "{place}: duplicate port name \"{name}\" with {other}, services and probes that select ports by name will use {other}"
            )),
            _ => {
                names.insert(name, place);
            }
        }
    }
}
