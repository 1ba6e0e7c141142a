//! What is wrong with the volumes of a pod.

use serde_json::Value;

use super::{list, text};
use crate::{failure::Cause, resources::rules::names};

/// The kinds of volumes in the order in which they are looked at: the second one is the one too many.
const KINDS: [&str; 9] = [
    "emptyDir",
    "hostPath",
    "secret",
    "nfs",
    "persistentVolumeClaim",
    "downwardAPI",
    "configMap",
    "projected",
    "csi",
];

pub(super) fn check(spec: &Value, field: &str, causes: &mut Vec<Cause>) {
    let mut taken = Vec::new();
    for (position, volume) in list(spec, "volumes").enumerate() {
        let place = format!("{field}.volumes[{position}]");
        let name = text(volume, "/name");
        check_source(volume, &place, causes);
        let place = format!("{place}.name");
        if name.is_empty() {
            causes.push(Cause::required(place, ""));
        } else if let Some(problem) = names::label_problem(name) {
            causes.push(Cause::invalid(place, &name.into(), &problem));
        } else if taken.contains(&name) {
            causes.push(Cause::duplicate(place, &name.into()));
        }
        taken.push(name);
    }
}

fn check_source(volume: &Value, place: &str, causes: &mut Vec<Cause>) {
    let mut given = KINDS.iter().filter(|kind| volume.get(kind).is_some());
    let Some(kind) = given.next() else { return };
    for other in given {
        let detail = "may not specify more than 1 volume type";
        causes.push(Cause::forbidden(format!("{place}.{other}"), detail));
    }
    let Some(source) = volume.get(kind) else { return };
    let place = format!("{place}.{kind}");
    let required = match *kind {
        "configMap" => "name",
        "secret" => "secretName",
        "hostPath" => "path",
        _ => "",
    };
    if !required.is_empty() && text(source, &format!("/{required}")).is_empty() {
        causes.push(Cause::required(format!("{place}.{required}"), ""));
    }
    let mode = source.get("defaultMode").unwrap_or(&Value::Null);
    if mode.as_i64().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        causes.push(Cause::invalid(format!("{place}.defaultMode"), mode, detail));
    }
    for (position, item) in list(source, "items").enumerate() {
        let path = text(item, "/path");
        let place = format!("{place}.items[{position}].path");
        if path.is_empty() {
            causes.push(Cause::required(place, ""));
        } else if path.split('/').any(|part| part == "..") {
            causes.push(Cause::invalid(place, &path.into(), "must not contain '..'"));
        }
    }
}
