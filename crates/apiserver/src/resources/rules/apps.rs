//! The rules of deployments and replica sets.

use serde_json::{Value, json};

use super::{Rules, child, default_to, immutable, names, pods, text};
use crate::{failure::Cause, selector::labels::Requirements};

const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

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

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({});
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = check_replicated(object);
        let kind = text(object, "/spec/strategy/type");
        if !["Recreate", "RollingUpdate"].contains(&kind) {
            // The real server tells the whole strategy, in the names of its own fields.
            let value = json!({"Type": kind, "RollingUpdate": null});
            causes.push(Cause::unsupported(
                "spec.strategy",
                &value,
                &["Recreate", "RollingUpdate"],
            ));
        }
        let recreate = object.pointer("/spec/strategy/type").is_some_and(|kind| kind == "Recreate");
        if recreate && object.pointer("/spec/strategy/rollingUpdate").is_some() {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            causes.push(Cause::forbidden("spec.strategy.rollingUpdate", detail));
        }
        check_rolling(object.pointer("/spec/strategy/rollingUpdate"), &mut causes);
        check_times(object, &mut causes);
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        immutable(new, old, "/spec/selector", "spec.selector").into_iter().collect()
    }
}

fn check_rolling(rolling: Option<&Value>, causes: &mut Vec<Cause>) {
    let Some(rolling) = rolling else { return };
    let place = |name: &str| format!("spec.strategy.rollingUpdate.{name}");
    let part = |name: &str| rolling.get(name).unwrap_or(&Value::Null);
    for name in ["maxUnavailable", "maxSurge"] {
        let value = part(name);
        let detail = match value {
            Value::String(text) if percent(text).is_none() => PERCENT,
            Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => {
                "must be greater than or equal to 0"
            }
            Value::String(text) if name == "maxUnavailable" && percent(text) > Some(100) => {
                "must not be greater than 100%"
            }
            _ => continue,
        };
        causes.push(Cause::invalid(place(name), value, detail));
    }
    let zero = |value: &Value| value == 0 || value.as_str().and_then(percent) == Some(0);
    if zero(part("maxUnavailable")) && zero(part("maxSurge")) {
        let detail = "may not be 0 when `maxSurge` is 0";
        causes.push(Cause::invalid(place("maxUnavailable"), part("maxUnavailable"), detail));
    }
}

fn percent(text: &str) -> Option<u32> {
    text.strip_suffix('%')
        .filter(|digits| digits.bytes().all(|it| it.is_ascii_digit()))?
        .parse()
        .ok()
}

fn check_times(object: &Value, causes: &mut Vec<Cause>) {
    let number = |name: &str| object.pointer(&format!("/spec/{name}")).and_then(Value::as_i64);
    for name in ["minReadySeconds", "revisionHistoryLimit"] {
        if let Some(value) = number(name).filter(|value| *value < 0) {
            let detail = "must be greater than or equal to 0";
            causes.push(Cause::invalid(format!("spec.{name}"), &value.into(), detail));
        }
    }
    if let Some(deadline) = number("progressDeadlineSeconds")
        && deadline <= number("minReadySeconds").unwrap_or(0)
    {
        let detail = "must be greater than minReadySeconds";
        causes.push(Cause::invalid("spec.progressDeadlineSeconds", &deadline.into(), detail));
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

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({"replicas": 0});
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
    if check_selection(object, spec, &mut causes) {
        check_template(spec, &mut causes);
    }
    causes
}

/// Whether the selector can be read; the template is looked at only then.
fn check_selection(object: &Value, spec: &Value, causes: &mut Vec<Cause>) -> bool {
    let null = Value::Null;
    let selector = spec.get("selector").unwrap_or(&null);
    let before = causes.len();
    let found = check_selector(selector, causes);
    names::check_labels(selector.get("matchLabels"), "spec.selector.matchLabels", causes);
    let requirements = match found {
        Ok(requirements) if causes.len() == before => requirements,
        _ => {
            causes.push(Cause::invalid("spec.selector", selector, "invalid label selector"));
            return false;
        }
    };
    if requirements.is_empty() && !selector.is_null() {
        let kind = text(object, "/kind").to_lowercase();
        let detail = format!("empty selector is invalid for {kind}");
        causes.push(Cause::invalid("spec.selector", selector, &detail));
        return true;
    }
    if selector.is_null() {
        causes.push(Cause::required("spec.selector", ""));
    }
    let labels = spec.pointer("/template/metadata/labels").unwrap_or(&null);
    let pairs: Vec<(Box<str>, Box<str>)> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str().into(), value.as_str().unwrap_or_default().into()))
        .collect();
    if selector.is_null() || !requirements.matches(&pairs) {
        let detail = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, detail));
    }
    true
}

fn check_template(spec: &Value, causes: &mut Vec<Cause>) {
    let null = Value::Null;
    let labels = spec.pointer("/template/metadata/labels");
    names::check_labels(labels, "spec.template.labels", causes);
    let template = spec.pointer("/template/spec").unwrap_or(&null);
    pods::check_pod_spec(template, "spec.template.spec", causes);
    if let Some(policy) = template.get("restartPolicy").filter(|policy| *policy != "Always") {
        causes.push(Cause::unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
    if template.get("activeDeadlineSeconds").is_some() {
        let detail = "activeDeadlineSeconds in ReplicaSet is not Supported";
        causes.push(Cause::forbidden("spec.template.spec.activeDeadlineSeconds", detail));
    }
}

/// The terms of a selector, unless one of them makes no sense.
fn check_selector(selector: &Value, causes: &mut Vec<Cause>) -> Result<Requirements, ()> {
    let before = causes.len();
    let list = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    for (position, expression) in list.enumerate() {
        let place = format!("spec.selector.matchExpressions[{position}]");
        let values = expression.get("values").and_then(Value::as_array).map_or(0, Vec::len);
        match text(expression, "/operator") {
            "In" | "NotIn" if values == 0 => {
                let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                causes.push(Cause::required(format!("{place}.values"), detail));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let detail = "not a valid selector operator";
                causes.push(Cause::invalid(format!("{place}.operator"), &other.into(), detail));
            }
        }
    }
    let read = Requirements::of_selector(selector).map_err(drop);
    if causes.len() > before { Err(()) } else { read }
}
