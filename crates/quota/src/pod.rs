//! What a pod takes of quotas.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::amount::{Amount, Amounts, add, read};

/// What each container must ask for where a quota counts it.
const MUST_BE_SAID: [&str; 6] =
    ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
/// What quotas count of every pod, beside devices and huge pages.
pub(crate) const NAMES: [&str; 11] = [
    "count/pods",
    "pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];
const REQUESTS: &str = "requests.";
const HUGE_PAGES: &str = "hugepages-";

/// Whether a quota's name for something is one of devices or huge pages.
pub(crate) fn is_of_devices(name: &str) -> bool {
    let huge = name.strip_prefix(REQUESTS).unwrap_or(name).starts_with(HUGE_PAGES);
    huge || name.strip_prefix(REQUESTS).is_some_and(is_extended)
}

fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.starts_with(REQUESTS) && !name.contains("kubernetes.io/")
}

pub(crate) fn usage(pod: &Value, now: Timestamp) -> Amounts {
    let mut usage = Amounts::from([("count/pods".to_owned(), Amount::count(1))]);
    if !takes(pod, now) {
        return usage;
    }
    let spec = pod.get("spec").unwrap_or(&Value::Null);
    usage.extend(named(&total(spec, "requests"), &total(spec, "limits")));
    usage
}

/// Whether a pod takes more than its place among the objects. One that should long have ended, as when its node is lost, must not
/// stand in the way of another one in its stead.
fn takes(pod: &Value, now: Timestamp) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    let deleted = pod.pointer("/metadata/deletionTimestamp").and_then(Value::as_str);
    let deleted = deleted.and_then(|time| time.parse::<Timestamp>().ok());
    let grace = pod.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64);
    let end = deleted
        .zip(grace.map(SignedDuration::from_secs))
        .and_then(|(deleted, grace)| deleted.checked_add(grace).ok());
    !matches!(phase, Some("Succeeded" | "Failed")) && end.is_none_or(|end| now <= end)
}

/// The names of quotas for requests and limits.
fn named(requests: &Amounts, limits: &Amounts) -> Amounts {
    let mut all = Amounts::from([("pods".to_owned(), Amount::count(1))]);
    for (name, amount) in requests {
        let plain = matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage");
        if plain || name.starts_with(HUGE_PAGES) {
            all.insert(name.clone(), *amount);
        }
        if plain || name.starts_with(HUGE_PAGES) || is_extended(name) {
            all.insert(format!("{REQUESTS}{name}"), *amount);
        }
    }
    for name in ["cpu", "memory", "ephemeral-storage"] {
        all.extend(limits.get(name).map(|amount| (format!("limits.{name}"), *amount)));
    }
    all
}

/// What all containers of a pod need at the most at any time: those that run to the end together, or a step of its
/// initialisation with the sidecars that were started before it.
fn total(spec: &Value, kind: &str) -> Amounts {
    let of = |container: &Value| read(container.pointer(&format!("/resources/{kind}")));
    let (mut sidecars, mut largest) = (Amounts::new(), Amounts::new());
    for container in list(spec, "initContainers") {
        let mut step = sidecars.clone();
        add(&mut step, &of(container));
        if container.get("restartPolicy").is_some_and(|policy| policy == "Always") {
            sidecars.clone_from(&step);
        }
        raise(&mut largest, &step);
    }
    let mut total = sidecars;
    for container in list(spec, "containers") {
        add(&mut total, &of(container));
    }
    raise(&mut total, &largest);
    let mut overhead = read(spec.get("overhead"));
    if kind == "limits" {
        overhead.retain(|name, _| total.contains_key(name));
    }
    add(&mut total, &overhead);
    total
}

fn raise(total: &mut Amounts, least: &Amounts) {
    for (name, amount) in least {
        if total.get(name).is_none_or(|known| known < amount) {
            total.insert(name.clone(), *amount);
        }
    }
}

/// What containers should say and do not, in the words of the real server.
pub(crate) fn missing(pod: &Value, counted: &[String]) -> Option<String> {
    let spec = pod.get("spec").unwrap_or(&Value::Null);
    let mut silent: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in list(spec, "containers").chain(list(spec, "initContainers")) {
        let part = |kind: &str| read(container.pointer(&format!("/resources/{kind}")));
        let said = named(&part("requests"), &part("limits"));
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        for wanted in MUST_BE_SAID.iter().filter(|wanted| counted.iter().any(|it| it == *wanted)) {
            if !said.contains_key(*wanted) {
                silent.entry(wanted).or_default().insert(name);
            }
        }
    }
    let parts: Vec<String> = silent
        .into_iter()
        .map(|(wanted, names)| {
            format!("{wanted} for: {}", names.into_iter().collect::<Vec<_>>().join(","))
        })
        .collect();
    (!parts.is_empty()).then(|| format!("must specify {}", parts.join("; ")))
}

fn list<'a>(spec: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    spec.get(field).and_then(Value::as_array).into_iter().flatten()
}
