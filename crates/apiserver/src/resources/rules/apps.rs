//! The rules of deployments and replica sets.

use serde_json::Value;

use super::{Rules, child, default_to, immutable, names, pods};
use crate::{failure::Cause, selector::labels::Requirements};

/// Deployments.
pub(crate) struct Deployments;

impl Rules for Deployments {
    fn default(&self, object: &mut Value) {
        let Some(spec) = child(object, "spec") else { return };
        default_to(spec, "replicas", 1);
        default_to(spec, "revisionHistoryLimit", 10);
        default_to(spec, "progressDeadlineSeconds", 600);
        default_template(spec);
        let Some(strategy) = child(spec, "strategy") else { return };
        default_to(strategy, "type", "RollingUpdate");
        if strategy["type"] == "RollingUpdate"
            && let Some(rolling) = child(strategy, "rollingUpdate")
        {
            default_to(rolling, "maxUnavailable", "25%");
            default_to(rolling, "maxSurge", "25%");
        }
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = check_replicated(object);
        if let Some(kind) = object
            .pointer("/spec/strategy/type")
            .filter(|kind| *kind != "Recreate" && *kind != "RollingUpdate")
        {
            causes.push(Cause::unsupported(
                "spec.strategy.type",
                kind,
                &["Recreate", "RollingUpdate"],
            ));
        }
        let recreate = object.pointer("/spec/strategy/type").is_some_and(|kind| kind == "Recreate");
        if recreate && object.pointer("/spec/strategy/rollingUpdate").is_some() {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            causes.push(Cause::forbidden("spec.strategy.rollingUpdate", detail));
        }
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        immutable(new, old, "/spec/selector", "spec.selector").into_iter().collect()
    }
}

/// Replica sets.
pub(crate) struct ReplicaSets;

impl Rules for ReplicaSets {
    fn default(&self, object: &mut Value) {
        let Some(spec) = child(object, "spec") else { return };
        default_to(spec, "replicas", 1);
        default_template(spec);
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        check_replicated(object)
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        immutable(new, old, "/spec/selector", "spec.selector").into_iter().collect()
    }
}

fn default_template(spec: &mut Value) {
    if let Some(template) = child(spec, "template").and_then(|template| child(template, "spec")) {
        pods::default_pod_spec(template);
    }
}

fn check_replicated(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let null = Value::Null;
    let spec = object.get("spec").unwrap_or(&null);
    if let Some(replicas) =
        spec.get("replicas").filter(|replicas| replicas.as_i64().is_some_and(|count| count < 0))
    {
        causes.push(Cause::invalid(
            "spec.replicas",
            replicas,
            "must be greater than or equal to 0",
        ));
    }
    let selector = spec.get("selector").unwrap_or(&null);
    match Requirements::of_selector(selector) {
        Ok(requirements) if requirements.is_empty() => {
            causes.push(Cause::required("spec.selector", ""));
            let detail = "empty selector is invalid for deployment";
            causes.push(Cause::invalid("spec.selector", selector, detail));
        }
        Ok(requirements) => {
            let labels = spec.pointer("/template/metadata/labels").unwrap_or(&null);
            let pairs = labels.as_object().into_iter().flatten();
            let pairs: Vec<(Box<str>, Box<str>)> = pairs
                .map(|(key, value)| {
                    (key.as_str().into(), value.as_str().unwrap_or_default().into())
                })
                .collect();
            if !requirements.matches(&pairs) {
                let detail = "`selector` does not match template `labels`";
                causes.push(Cause::invalid("spec.template.metadata.labels", labels, detail));
            }
        }
        Err(problem) => causes.push(Cause::invalid("spec.selector", selector, &problem)),
    }
    names::check_labels(
        spec.pointer("/template/metadata/labels"),
        "spec.template.labels",
        &mut causes,
    );
    let template = spec.pointer("/template/spec").unwrap_or(&null);
    pods::check_pod_spec(template, "spec.template.spec", &mut causes);
    if let Some(policy) = template.get("restartPolicy").filter(|policy| *policy != "Always") {
        causes.push(Cause::unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
    causes
}
