//! What a client should know of a pod that is valid and yet perhaps not what was meant.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{list, text};
use crate::resources::quantity;

/// A client is told 4096 characters of warnings at most.
const ENOUGH: usize = 4096;

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

/// A port of a container, as far as it can be in the way of another.
struct Port<'a> {
    place: String,
    name: &'a str,
    number: (i64, &'a str),
    host: (i64, &'a str),
}

fn ports(spec: &Value, place: &str, warnings: &mut Vec<String>) {
    let number = |port: &Value, name: &str| port.get(name).and_then(Value::as_i64).unwrap_or(0);
    let mut all: Vec<Port<'_>> = Vec::new();
    for (place, container) in containers(spec, place) {
        all.extend(list(container, "ports").enumerate().map(|(position, port)| Port {
            place: format!("{place}.ports[{position}]"),
            name: text(port, "/name"),
            number: (number(port, "containerPort"), text(port, "/protocol")),
            host: (number(port, "hostPort"), text(port, "/hostIP")),
        }));
    }
    let mut of_number: HashMap<(i64, &str), Vec<&Port<'_>>> = HashMap::new();
    for port in &all {
        let others = of_number.entry(port.number).or_default();
        for other in others.iter() {
            // Each pair has one, and no more than that is ever told.
            if warnings.len() >= ENOUGH {
                return;
            }
            let ((host, address), (other_host, other_address)) = (port.host, other.host);
            let what = if port.host == other.host {
                "duplicate"
            } else if host == 0 || other_host == 0 {
                "overlapping"
            } else if host == other_host && address.is_empty() != other_address.is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            let (place, other) = (&port.place, &other.place);
            warnings.push(format!("{place}: {what} port definition with {other}"));
        }
        if others.len() < ENOUGH {
            others.push(port);
        }
    }
    let mut names: HashMap<&str, &str> = HashMap::new();
    for Port { place, name, .. } in all.iter().filter(|port| !port.name.is_empty()) {
        match names.get(name) {
            Some(other) => warnings.push(format!(
                "{place}: duplicate port name \"{name}\" with {other}, services and probes that select ports by name will use {other}"
            )),
            None => drop(names.insert(name, place)),
        }
    }
}
