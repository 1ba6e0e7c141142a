//! Quotas.

use serde_json::Value;

use super::{AGE, Column, NAME, text};

pub(super) const COLUMNS: &[Column] = &[
    NAME,
    text("Request", |quota| amounts(quota, |name| !is_limit(name))),
    text("Limit", |quota| amounts(quota, is_limit)),
    AGE,
];

fn is_limit(name: &str) -> bool {
    name.starts_with("limits.")
}

/// `pods: 1/3, services: 0/5`: what is used of what may be used.
fn amounts(quota: &Value, shown: fn(&str) -> bool) -> Value {
    let hard = quota.pointer("/status/hard").and_then(Value::as_object);
    let mut names: Vec<&String> = hard.into_iter().flatten().map(|(name, _)| name).collect();
    names.sort_unstable();
    let of = |part: &str, name: &str| {
        let amount = quota.pointer(&format!("/status/{part}")).and_then(|all| all.get(name));
        amount.and_then(Value::as_str).unwrap_or("0")
    };
    let texts: Vec<String> = names
        .into_iter()
        .filter(|name| shown(name))
        .map(|name| format!("{name}: {}/{}", of("used", name), of("hard", name)))
        .collect();
    texts.join(", ").into()
}
