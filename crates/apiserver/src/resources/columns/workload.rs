//! Deployments and replica sets.

use serde_json::Value;

use super::{AGE, Column, NAME, integer, list, number, or_none, string, text, wide};
use crate::selector::labels::Requirements;

pub(super) const DEPLOYMENT: &[Column] = &[
    NAME,
    text("Ready", |object| {
        format!(
            "{}/{}",
            integer(object, "/status/readyReplicas"),
            integer(object, "/spec/replicas")
        )
        .into()
    }),
    text("Up-to-date", |object| integer(object, "/status/updatedReplicas").into()),
    text("Available", |object| integer(object, "/status/availableReplicas").into()),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) const REPLICA_SET: &[Column] = &[
    NAME,
    number("Desired", |object| integer(object, "/spec/replicas").into()),
    number("Current", |object| integer(object, "/status/replicas").into()),
    number("Ready", |object| integer(object, "/status/readyReplicas").into()),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const CONTAINERS: Column = wide("Containers", |object| of_containers(object, "/name"));
const IMAGES: Column = wide("Images", |object| of_containers(object, "/image"));
const SELECTOR: Column = wide("Selector", |object| {
    let selector = object.pointer("/spec/selector").unwrap_or(&Value::Null);
    or_none(
        &Requirements::of_selector(selector)
            .map(|selector| selector.to_string())
            .unwrap_or_default(),
    )
});

fn of_containers(object: &Value, field: &str) -> Value {
    let parts: Vec<&str> = list(object, "/spec/template/spec/containers")
        .map(|container| string(container, field))
        .collect();
    parts.join(",").into()
}

/// Labels as `a=b,c=d`.
pub(super) fn labels(labels: Option<&Value>) -> Value {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    let pairs: Vec<String> = labels
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    or_none(&pairs.join(","))
}
