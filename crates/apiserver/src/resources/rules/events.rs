//! The rules of events, in both of their forms.

use serde_json::{Value, json};

use super::{Rules, names, text, write_empty};
use crate::failure::Cause;

const LONGEST_WORD: usize = 128;
const LONGEST_NOTE: usize = 1024;

/// Events.
pub(crate) struct Events;

impl Rules for Events {
    fn complete(&self, object: &mut Value) {
        for time in ["firstTimestamp", "lastTimestamp", "eventTime"] {
            write_empty(object, time, Value::Null);
        }
        for name in ["reportingComponent", "reportingInstance"] {
            write_empty(object, name, "".into());
        }
        write_empty(object, "source", json!({}));
    }

    fn prepare_create(&self, _object: &mut Value) {}

    fn validate(&self, object: &Value) -> Vec<Cause> {
        check(object, "involvedObject", "reportingComponent", "message")
    }
}

/// Events in the group of their own.
pub(crate) struct NewEvents;

impl Rules for NewEvents {
    fn complete(&self, object: &mut Value) {
        for time in ["deprecatedFirstTimestamp", "deprecatedLastTimestamp", "eventTime"] {
            write_empty(object, time, Value::Null);
        }
        write_empty(object, "deprecatedSource", json!({}));
    }

    fn prepare_create(&self, _object: &mut Value) {}

    fn validate(&self, object: &Value) -> Vec<Cause> {
        check(object, "regarding", "reportingController", "note")
    }

    fn validate_create(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        let unset = "needs to be unset";
        let invalid = |field: &str, detail: &str| Cause::invalid(field, &"".into(), detail);
        if let Some(series) = object.get("series") {
            if series.get("count").and_then(Value::as_i64).unwrap_or(0) < 2 {
                causes.push(invalid("series.count", "should be at least 2"));
            }
            if text(series, "/lastObservedTime").is_empty() {
                causes.push(Cause::required("series.lastObservedTime", ""));
            }
        }
        if !has_time(object) {
            causes.push(Cause::required("eventTime", ""));
        }
        let kind = text(object, "/type");
        if !["Normal", "Warning"].contains(&kind) {
            causes.push(invalid("type", &format!("has invalid value: {kind}")));
        }
        for (field, own) in [("firstTimestamp", "First"), ("lastTimestamp", "Last")] {
            if !text(object, &format!("/deprecated{own}Timestamp")).is_empty() {
                causes.push(invalid(field, unset));
            }
        }
        if object.get("deprecatedCount").and_then(Value::as_i64).unwrap_or(0) != 0 {
            causes.push(invalid("count", unset));
        }
        let source = object.get("deprecatedSource").and_then(Value::as_object);
        if source.is_some_and(|source| !source.is_empty()) {
            causes.push(invalid("source", unset));
        }
        causes
    }
}

fn has_time(event: &Value) -> bool {
    event.get("eventTime").is_some_and(|time| !time.is_null())
}

/// `about`, `reporter` and `note` are the names of fields that the two forms do not share.
fn check(event: &Value, about: &str, reporter: &str, note: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let subject = text(event, &format!("/{about}/namespace"));
    let own = text(event, "/metadata/namespace");
    let agrees = if has_time(event) {
        !subject.is_empty() || ["default", "kube-system"].contains(&own)
    } else {
        subject == own || (subject.is_empty() && own == "default")
    };
    if !agrees {
        let detail = "does not match event.namespace";
        causes.push(Cause::invalid("involvedObject.namespace", &subject.into(), detail));
    }
    if !has_time(event) {
        return causes;
    }
    let value = |field: &str| text(event, &format!("/{field}"));
    let too_long = |field: &str, most: usize| {
        let detail = format!("can have at most {most} characters");
        Cause::invalid(field, &"".into(), &detail)
    };
    let controller = value(reporter);
    if controller.is_empty() {
        causes.push(Cause::required(reporter, ""));
    }
    let problems = names::qualified_problems(controller).into_iter();
    causes.extend(problems.map(|it| Cause::invalid(reporter, &controller.into(), &it)));
    for field in ["reportingInstance", "action", "reason"] {
        if value(field).is_empty() {
            causes.push(Cause::required(field, ""));
        }
        if value(field).len() > LONGEST_WORD {
            causes.push(too_long(field, LONGEST_WORD));
        }
    }
    if value(note).len() > LONGEST_NOTE {
        causes.push(too_long("message", LONGEST_NOTE));
    }
    causes
}
