//! The metadata of objects: what the server sets, what may not change, what is wrong.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{
    clock,
    failure::{Cause, Failure},
    request::Call,
    resources::{self, Habit, Resource},
};

/// How long the annotations of an object may be in all, their names counted in.
const LONGEST_ANNOTATIONS: usize = 256 << 10;
const SUFFIX_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH: usize = 5;

/// What the server sets and a client cannot change.
const SYSTEM_FIELDS: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
];

pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object
        .get("metadata")
        .and_then(|metadata| metadata.get(field))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(super) fn of(object: &mut Value) -> &mut Map<String, Value> {
    let slot = &mut object["metadata"];
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(map) => map,
        _ => unreachable!("it was just made an object"),
    }
}

pub(super) fn finalizers(object: &Value) -> Vec<&str> {
    let list =
        object.pointer("/metadata/finalizers").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

pub(super) fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// Puts the namespace of the path into the object.
pub(super) fn set_namespace(call: &Call, object: &mut Value) -> Result<(), Failure> {
    let own = text(object, "namespace").to_owned();
    let resource = call.target.resource;
    if !resource.namespaced {
        if own.is_empty() {
            return Ok(());
        }
        return Err(Failure::bad_request("namespace may not be set on a cluster-scoped object"));
    }
    if own.is_empty() {
        of(object).insert("namespace".into(), call.namespace().into());
    } else if own != call.namespace() {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

/// The object must bear the name in the path.
pub(super) fn check_name(call: &Call, object: &Value) -> Result<(), Failure> {
    let (name, expected) = (text(object, "name"), call.name());
    if name.is_empty() {
        return Err(Failure::bad_request(format!(
            "the name of the object ({expected} based on URL) was undeterminable: name must be provided"
        )));
    }
    if name != expected {
        return Err(Failure::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({expected})"
        )));
    }
    Ok(())
}

/// A revision must be a number.
pub(super) fn check_revision(object: &Value) -> Result<(), Failure> {
    let revision = text(object, "resourceVersion");
    if revision.is_empty() || revision.parse::<u64>().is_ok() {
        return Ok(());
    }
    Err(Failure::unknown(format!("strconv.ParseUint: parsing \"{revision}\": invalid syntax")))
}

/// What an update must leave alone if it names it at all.
pub(super) fn fixed_fields(new: &Value, old: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let pointer = format!("/metadata/{field}");
        let (new, old) = (new.pointer(&pointer), old.pointer(&pointer));
        if let Some(value) = new.filter(|value| !value.is_null() && old != Some(*value)) {
            causes.push(Cause::invalid(format!("metadata.{field}"), value, "field is immutable"));
        }
    }
    causes
}

/// Sets what every new object gets.
pub(super) fn begin(resource: &Resource, object: &mut Value) {
    let name = text(object, "name").to_owned();
    let prefix = text(object, "generateName").to_owned();
    let metadata = of(object);
    for field in SYSTEM_FIELDS {
        // Kinds that do not count generations take over what they are given.
        if field != "generation" || resource.has(Habit::CountsGeneration) {
            metadata.shift_remove(field);
        }
    }
    metadata.shift_remove("resourceVersion");
    metadata.shift_remove("managedFields");
    if name.is_empty() && !prefix.is_empty() {
        metadata.insert("name".into(), generate_name(&prefix).into());
    }
    metadata.insert("uid".into(), uuid::Uuid::new_v4().to_string().into());
    metadata.insert("creationTimestamp".into(), clock::stamp().into());
    if resource.has(Habit::CountsGeneration) {
        metadata.insert("generation".into(), 1.into());
    }
}

fn generate_name(prefix: &str) -> String {
    let prefix: String = prefix.chars().take(63 - SUFFIX_LENGTH).collect();
    let random = uuid::Uuid::new_v4().into_bytes();
    let suffix = random
        .iter()
        .take(SUFFIX_LENGTH)
        .map(|byte| char::from(SUFFIX_LETTERS[usize::from(*byte) % SUFFIX_LETTERS.len()]));
    prefix.chars().chain(suffix).collect()
}

/// Brings back what an update cannot change.
pub(super) fn keep_system_fields(new: &mut Value, old: &Value) {
    let old = old.get("metadata").cloned().unwrap_or_default();
    let metadata = of(new);
    for field in
        SYSTEM_FIELDS.iter().chain(&["resourceVersion", "name", "namespace", "generateName"])
    {
        match old.get(field) {
            Some(value) => metadata.insert((*field).into(), value.clone()),
            None => metadata.shift_remove(*field),
        };
    }
}

/// The managers of fields are noted by the server; a client can only have them forgotten, by sending none.
pub(super) fn keep_managers(new: &mut Value, old: &Value) {
    let sent = new.pointer("/metadata/managedFields").and_then(Value::as_array);
    let forget = sent.is_some_and(|list| list.is_empty() || *list == [Value::Object(Map::new())]);
    let kept = old.pointer("/metadata/managedFields").filter(|_| !forget);
    match kept {
        Some(kept) => of(new).insert("managedFields".into(), kept.clone()),
        None => of(new).shift_remove("managedFields"),
    };
}

/// Counts a change of what is wanted.
pub(super) fn count_generation(resource: &Resource, new: &mut Value, old: &Value) {
    if !resource.has(Habit::CountsGeneration) {
        return;
    }
    let started_deleting = is_deleting(new) && !is_deleting(old);
    let changed = if resource.rules.counts_all() {
        let labels = |object: &Value| object.pointer("/metadata/labels").cloned();
        content(new) != content(old) || labels(new) != labels(old)
    } else {
        new.get("spec") != old.get("spec")
    };
    if changed || started_deleting {
        let generation = old.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
        of(new).insert("generation".into(), (generation + 1).into());
    }
}

/// The fields beside the metadata.
fn content(object: &Value) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = object.as_object().into_iter().flatten().collect();
    fields.retain(|(name, _)| *name != "metadata");
    fields.sort_by_key(|(name, _)| *name);
    fields
}

/// What is wrong with the metadata of any object.
pub(super) fn validate(resource: &Resource, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = text(object, "name");
    let prefix = text(object, "generateName");
    if !prefix.is_empty() {
        // A prefix may end as a name may not.
        let whole = format!("{}a", prefix.trim_end_matches('-'));
        let problem = resource.rules.name_problem(&whole);
        causes.extend(
            problem
                .map(|problem| Cause::invalid("metadata.generateName", &prefix.into(), &problem)),
        );
    }
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    } else {
        let problem = resource.rules.name_problem(name);
        causes
            .extend(problem.map(|problem| Cause::invalid("metadata.name", &name.into(), &problem)));
    }
    resources::check_labels(object.pointer("/metadata/labels"), "metadata.labels", &mut causes);
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
    let mut length = 0;
    for (key, value) in annotations.into_iter().flatten() {
        length += key.len() + value.as_str().unwrap_or_default().len();
        for problem in resources::qualified_problems(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &key.as_str().into(), &problem));
        }
    }
    if length > LONGEST_ANNOTATIONS {
        causes.push(Cause::too_long("metadata.annotations", LONGEST_ANNOTATIONS));
    }
    validate_owners(object, &mut causes);
    validate_finalizers(object, &mut causes);
    causes
}

fn validate_finalizers(object: &Value, causes: &mut Vec<Cause>) {
    let names = finalizers(object);
    for name in &names {
        for problem in resources::qualified_problems(name) {
            causes.push(Cause::invalid("metadata.finalizers", &(*name).into(), &problem));
        }
    }
    for (position, name) in names.iter().enumerate() {
        causes.extend(unqualified_finalizer(format!("metadata.finalizers[{position}]"), name));
    }
}

/// What is wrong with the finalizers in the specification of a namespace.
pub(super) fn validate_finalizers_of_content(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let list = object.pointer("/spec/finalizers").and_then(Value::as_array).into_iter().flatten();
    for (position, name) in list.filter_map(Value::as_str).enumerate() {
        let field = format!("spec.finalizers[{position}]");
        for problem in resources::qualified_problems(name) {
            causes.push(Cause::invalid(field.clone(), &name.into(), &problem));
        }
        causes.extend(unqualified_finalizer(field, name));
    }
    causes
}

fn unqualified_finalizer(field: String, name: &str) -> Option<Cause> {
    const STANDARD: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];
    let detail = "name is neither a standard finalizer name nor is it fully qualified";
    (!name.contains('/') && !STANDARD.contains(&name))
        .then(|| Cause::invalid(field, &name.into(), detail))
}

fn validate_owners(object: &Value, causes: &mut Vec<Cause>) {
    let owners =
        object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    let mut controllers = 0;
    for owner in owners {
        for field in ["apiVersion", "kind", "name", "uid"] {
            let value = owner.get(field).and_then(Value::as_str).unwrap_or_default();
            if value.is_empty() {
                let place = format!("metadata.ownerReferences.{field}");
                let detail = if field == "apiVersion" {
                    "version must not be empty"
                } else {
                    "must not be empty"
                };
                causes.push(Cause::invalid(place, &"".into(), detail));
            }
        }
        let version = owner.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if version.matches('/').count() > 1 {
            let place = "metadata.ownerReferences.apiVersion";
            causes.push(Cause::invalid(place, &version.into(), "version must not be empty"));
        }
        if version == "v1" && owner.get("kind").is_some_and(|kind| kind == "Event") {
            let detail = "/v1, Kind=Event is disallowed from being an owner";
            causes.push(Cause::invalid("metadata.ownerReferences", owner, detail));
        }
        controllers += usize::from(owner.get("controller") == Some(&true.into()));
    }
    if controllers > 1 {
        let owners = object.pointer("/metadata/ownerReferences").unwrap_or(&Value::Null);
        let detail = "Only one reference can have Controller set to true";
        causes.push(Cause::invalid("metadata.ownerReferences", owners, detail));
    }
}

/// What is wrong with how the metadata changed.
pub(super) fn validate_update(new: &Value, old: &Value) -> Vec<Cause> {
    if !is_deleting(old) {
        return Vec::new();
    }
    let before: HashSet<&str> = finalizers(old).into_iter().collect();
    let added: Vec<&str> =
        finalizers(new).into_iter().filter(|name| !before.contains(name)).collect();
    if added.is_empty() {
        return Vec::new();
    }
    let list: Vec<String> = added.iter().map(|name| format!("\"{name}\"")).collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        list.join(", ")
    );
    vec![Cause::forbidden("metadata.finalizers", &detail)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::validate;
    use crate::resources::Registry;

    #[test]
    fn annotations_are_not_longer_than_a_quarter_of_a_mebibyte_in_all() {
        let of_length = |length: usize| {
            let value = "x".repeat(length / 2 - 1);
            let object =
                json!({"metadata": {"name": "a", "annotations": {"a": value, "b": value}}});
            let causes = validate(Registry::global().core("configmaps"), &object);
            causes.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(of_length(262_144).is_empty());
        let told = "metadata.annotations: Too long: may not be more than 262144 bytes";
        assert_eq!(of_length(262_146), [told]);
    }
}
