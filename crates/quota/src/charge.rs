//! Whether quotas have room for an object that is made or changed, and what is used of them then.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    amount::{self, Amounts},
    pod,
    scope::{Spec, ends_by_itself},
    usage::{Kind, covers, usage},
};

/// A quota as it stands.
#[derive(Debug, Clone)]
pub struct Quota {
    name: String,
    spec: Spec,
    /// What may be used, by its status: what its specification says counts once its controller has seen it.
    hard: Amounts,
    used: Amounts,
}

impl Quota {
    /// Of a `ResourceQuota`.
    pub fn of(object: &Value) -> Self {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        Self {
            name: name.to_owned(),
            spec: Spec::of(object.get("spec").unwrap_or(&Value::Null)),
            hard: amount::read(object.pointer("/status/hard")),
            used: amount::read(object.pointer("/status/used")),
        }
    }
}

/// Whether quotas are asked at all: most kinds are only counted, and counting ends with the creation.
pub fn handles(kind: Kind<'_>, old: Option<&Value>, new: &Value) -> bool {
    let Some(old) = old else { return kind.is_counted() };
    match (kind.group, kind.plural) {
        ("", "pods") => ends_by_itself(old) != ends_by_itself(new),
        ("", "services" | "persistentvolumeclaims") => true,
        _ => false,
    }
}

/// What is used of each quota, by its place, when an object is made or changed now; those that it takes nothing of are not
/// among them.
///
/// # Errors
/// The words with which the object is refused.
pub fn charge(
    quotas: &[Quota],
    kind: Kind<'_>,
    old: Option<&Value>,
    new: &Value,
    now: Timestamp,
) -> Result<Vec<(usize, Amounts)>, String> {
    let mut asked = Vec::new();
    for (place, quota) in quotas.iter().enumerate() {
        let counted = kind.taken_from(quota.hard.keys());
        if counted.is_empty() || !covers(&quota.spec, kind, new) {
            continue;
        }
        let is_pod = kind.group.is_empty() && kind.plural == "pods";
        if let Some(missing) = pod::missing(new, &counted).filter(|_| is_pod) {
            return Err(format!("failed quota: {}: {missing}", quota.name));
        }
        if counted.iter().any(|name| !quota.used.contains_key(name)) {
            let names = counted.join(",");
            return Err(format!("status unknown for quota: {}, resources: {names}", quota.name));
        }
        asked.push((place, quota));
    }
    let whole = usage(kind, new, now);
    let mut charged = Vec::new();
    for (place, quota) in asked {
        let before = old.filter(|old| covers(&quota.spec, kind, old));
        let before = before.map(|old| usage(kind, old, now)).unwrap_or_default();
        let mut more = whole.clone();
        for (name, amount) in &mut more {
            if let Some(before) = before.get(name) {
                *amount = amount.minus(*before);
            }
        }
        more.retain(|name, amount| !amount.is_zero() && quota.hard.contains_key(name));
        if !more.is_empty() {
            charged.push((place, with(quota, &more)?));
        }
    }
    Ok(charged)
}

/// What is used of a quota with something more.
fn with(quota: &Quota, more: &Amounts) -> Result<Amounts, String> {
    let mut used = quota.used.clone();
    amount::add(&mut used, more);
    let exceeds = |name: &String| {
        used.get(name).zip(quota.hard.get(name)).is_some_and(|(used, hard)| used > hard)
    };
    let exceeded: Vec<&String> = more.keys().filter(|name| exceeds(name)).collect();
    if exceeded.is_empty() {
        return Ok(used);
    }
    let told = |amounts: &Amounts| {
        let parts = exceeded
            .iter()
            .filter_map(|name| Some(format!("{name}={}", amounts.get(*name)?)))
            .collect::<Vec<_>>();
        parts.join(",")
    };
    Err(format!(
        "exceeded quota: {}, requested: {}, used: {}, limited: {}",
        quota.name,
        told(more),
        told(&quota.used),
        told(&quota.hard)
    ))
}

#[cfg(test)]
mod tests;
