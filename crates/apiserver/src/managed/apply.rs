//! Server-side apply: a client says what it wants of an object, and owns exactly that.

use std::collections::{HashMap, HashSet, hash_map};

use serde_json::{Map, Value};

use super::{
    APPLY, Author, Entry, entries,
    fields::{Fields, describe},
    leaves::{self, key_step},
    store,
};
use crate::{
    clock,
    patches::schema::{self, Merge},
    resources::Resource,
};

/// What applying comes to.
pub(crate) struct Applied {
    /// The object with what was applied, without the fields that nobody wants any more.
    pub(crate) object: Value,
    managers: Vec<Entry>,
}

impl Applied {
    /// Notes the managers in the object, after its rules have had their say.
    pub(crate) fn note_managers(self, object: &mut Value, live: &Value) {
        store(object, self.managers, live);
    }
}

/// Applies a configuration to the live object, which is empty if there is none yet.
///
/// # Errors
/// The fields that others manage with other values, each with the manager's description, unless `force` takes them.
pub(crate) fn apply(
    resource: &Resource,
    live: &Value,
    config: &Value,
    author: &Author<'_>,
    force: bool,
) -> Result<Applied, Vec<(String, String)>> {
    let mut managers = entries(live);
    if managers.is_empty() {
        let before = Author { manager: "before-first-apply", subresource: author.subresource };
        managers.extend(super::first_entry(resource, live, &before));
    }
    let previous =
        managers.iter().position(|entry| entry.is_of(author, APPLY)).map(|at| managers.remove(at));
    let mut own = Entry::new(author, APPLY, resource);
    own.fields = leaves::wanted(&leaves::of(config));
    own.fields.retain(|path| author.counts(resource, path));
    let mut object = merge(live.clone(), config, &mut Vec::new());
    if let Some(previous) = &previous {
        object = prune(object, &previous.fields, managers.iter().chain([&own]));
    }
    let difference = leaves::compare(&leaves::of(live), &leaves::of(&object));
    let mut conflicts = Vec::new();
    for entry in &mut managers {
        let contested = entry.fields.common(&difference.changed);
        if force {
            entry.fields.remove_all(&contested);
        } else {
            let contested = contested.in_order().into_iter();
            conflicts.extend(contested.map(|path| (describe_manager(entry), describe(path))));
        }
        entry.fields.remove_all(&difference.removed);
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    own.time = previous.map(|entry| entry.time).unwrap_or_default();
    if object != *live {
        own.time = clock::stamp();
    }
    managers.push(own);
    Ok(Applied { object, managers })
}

fn describe_manager(entry: &Entry) -> String {
    let subresource = match entry.subresource.as_str() {
        "" => String::new(),
        subresource => format!(" with subresource \"{subresource}\""),
    };
    let version = match entry.operation.as_str() {
        super::UPDATE => format!(" using {}", entry.api_version),
        _ => String::new(),
    };
    format!("\"{}\"{subresource}{version}", entry.manager)
}

fn merge<'a>(live: Value, config: &'a Value, names: &mut Vec<&'a str>) -> Value {
    match (live, config) {
        (Value::Object(mut live), Value::Object(config)) => {
            if schema::of_object(names) == Merge::Atomic {
                return Value::Object(config.clone());
            }
            for (name, value) in config.iter().filter(|(_, value)| !value.is_null()) {
                names.push(name);
                let before = live.get(name).cloned().unwrap_or_default();
                live.insert(name.clone(), merge(before, value, names));
                names.pop();
            }
            Value::Object(live)
        }
        (Value::Array(live), Value::Array(config)) => Value::Array(merge_list(live, config, names)),
        (Value::Null, Value::Object(_)) => merge(Value::Object(Map::new()), config, names),
        (_, config) => config.clone(),
    }
}

fn merge_list<'a>(
    mut live: Vec<Value>,
    config: &'a [Value],
    names: &mut Vec<&'a str>,
) -> Vec<Value> {
    match schema::of_list(names) {
        Merge::Keys(keys) => {
            let mut places = HashMap::new();
            for (at, existing) in live.iter().enumerate() {
                places.entry(key_step(existing, keys)).or_insert(at);
            }
            for item in config {
                match places.entry(key_step(item, keys)) {
                    hash_map::Entry::Occupied(place) => {
                        let slot = &mut live[*place.get()];
                        *slot = merge(std::mem::take(slot), item, names);
                    }
                    hash_map::Entry::Vacant(place) => {
                        place.insert(live.len());
                        live.push(item.clone());
                    }
                }
            }
            live
        }
        Merge::Set => {
            let known: HashSet<&Value> = live.iter().collect();
            let new: Vec<Value> =
                config.iter().filter(|item| !known.contains(item)).cloned().collect();
            live.extend(new);
            live
        }
        Merge::Atomic | Merge::Fields => config.to_vec(),
    }
}

/// Removes what was applied last time and nobody wants any more. What others put inside of it holds it.
fn prune<'a>(merged: Value, last: &Fields, owners: impl Iterator<Item = &'a Entry>) -> Value {
    let all = |object: &Value| leaves::wanted(&leaves::of(object)).with_ways();
    let last = last.with_ways();
    let mut kept = all(&without(merged.clone(), &last));
    for owner in owners {
        kept.add_all(&owner.fields.with_ways());
    }
    let present = all(&merged);
    let mut unwanted = present.clone();
    unwanted.remove_all(&kept);
    // What is left without its neighbours is removed only if the same manager had applied it.
    let mut gone = present;
    gone.remove_all(&all(&without(merged.clone(), &unwanted)));
    without(merged, &gone.common(&last))
}

fn without(object: Value, fields: &Fields) -> Value {
    if fields.is_empty() {
        return object;
    }
    let mut removal = Removal { fields, path: Vec::new(), names: Vec::new() };
    removal.value(object)
}

/// The way through an object of which fields are removed.
struct Removal<'a> {
    fields: &'a Fields,
    path: Vec<String>,
    names: Vec<String>,
}

impl Removal<'_> {
    fn value(&mut self, value: Value) -> Value {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        match value {
            Value::Object(map)
                if names.is_empty() || schema::of_object(&names) == Merge::Fields =>
            {
                let parts = map.into_iter();
                Value::Object(parts.filter_map(|(name, part)| self.field(name, part)).collect())
            }
            Value::Array(list) => match schema::of_list(&names) {
                Merge::Keys(keys) => {
                    let items = list.into_iter();
                    let steps = items.map(|item| (key_step(&item, keys), item));
                    Value::Array(steps.filter_map(|(step, item)| self.below(step, item)).collect())
                }
                Merge::Set => {
                    let items = list.into_iter().map(|item| (format!("v:{item}"), item));
                    Value::Array(items.filter_map(|(step, item)| self.below(step, item)).collect())
                }
                Merge::Atomic | Merge::Fields => Value::Array(list),
            },
            other => other,
        }
    }

    fn field(&mut self, name: String, value: Value) -> Option<(String, Value)> {
        let was_empty = is_empty(&value);
        self.names.push(name.clone());
        let left = self.below(format!("f:{name}"), value);
        self.names.pop();
        // What the removal empties goes with its content.
        left.filter(|left| was_empty || !is_empty(left)).map(|left| (name, left))
    }

    fn below(&mut self, step: String, value: Value) -> Option<Value> {
        self.path.push(step);
        let left = (!self.fields.contains(&self.path)).then(|| self.value(value));
        self.path.pop();
        left
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
