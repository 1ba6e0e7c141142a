//! Server-side apply: a client says what it wants of an object, and owns exactly that.

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
    author_entry: Entry,
}

impl Applied {
    /// Notes the managers in the object, after its rules have had their say.
    pub(crate) fn note_managers(mut self, object: &mut Value, live: &Value) {
        let before = entries(live);
        let same = before.iter().find(|entry| {
            entry.manager == self.author_entry.manager
                && entry.operation == APPLY
                && entry.subresource == self.author_entry.subresource
                && entry.fields == self.author_entry.fields
        });
        self.author_entry.time = same.map_or_else(clock::stamp, |entry| entry.time.clone());
        self.managers.insert(0, self.author_entry);
        // The order of entries means nothing, so an unchanged set of them must not look like a change.
        self.managers.sort_by(|a, b| {
            (&a.operation, &a.manager, &a.subresource).cmp(&(
                &b.operation,
                &b.manager,
                &b.subresource,
            ))
        });
        store(object, self.managers);
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
    let previous =
        managers.iter().position(|entry| entry.is_of(author, APPLY)).map(|at| managers.remove(at));
    let wanted = leaves::fields(&leaves::of(config));
    let mut object = merge(live.clone(), config, &mut Vec::new());
    let (before, after) = (leaves::of(live), leaves::of(&object));
    let mut taken = leaves::changed(&before, &after);
    taken.add_all(&leaves::removed(&before, &after));
    let mut conflicts = Vec::new();
    for entry in &mut managers {
        let contested = entry.fields.common(&taken);
        if force {
            entry.fields.remove_all(&contested);
        } else {
            conflicts
                .extend(contested.iter().map(|path| (describe_manager(entry), describe(path))));
        }
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let mut dropped = previous.map(|entry| entry.fields).unwrap_or_default();
    dropped.remove_all(&wanted);
    for entry in &managers {
        dropped.remove_all(&entry.fields);
    }
    remove_fields(&mut object, &dropped);
    let mut author_entry = Entry::new(author, APPLY, resource);
    author_entry.fields = wanted;
    Ok(Applied { object, managers, author_entry })
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
            for item in config {
                let step = key_step(item, keys);
                match live.iter().position(|existing| key_step(existing, keys) == step) {
                    Some(at) => {
                        let before = std::mem::take(&mut live[at]);
                        live[at] = merge(before, item, names);
                    }
                    None => live.push(item.clone()),
                }
            }
            live
        }
        Merge::Set => {
            let new: Vec<Value> =
                config.iter().filter(|item| !live.contains(item)).cloned().collect();
            live.extend(new);
            live
        }
        Merge::Atomic | Merge::Fields => config.to_vec(),
    }
}

fn remove_fields(object: &mut Value, fields: &Fields) {
    // From the first to the last: an item of a list goes before its key, by which it is found.
    for path in fields.iter() {
        remove_field(object, path, &mut Vec::new());
    }
}

/// Removes one field, and what it leaves empty on the way.
fn remove_field(node: &mut Value, path: &[String], names: &mut Vec<String>) {
    let Some((step, rest)) = path.split_first() else { return };
    match (step.split_once(':'), node) {
        (Some(("f", name)), Value::Object(map)) => {
            if rest.is_empty() {
                map.shift_remove(name);
                return;
            }
            let Some(below) = map.get_mut(name) else { return };
            names.push(name.to_owned());
            remove_field(below, rest, names);
            names.pop();
            let empty = below.as_object().is_some_and(Map::is_empty)
                || below.as_array().is_some_and(Vec::is_empty);
            if empty {
                map.shift_remove(name);
            }
        }
        (Some(("k", _)), Value::Array(list)) => {
            let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
            let Merge::Keys(keys) = schema::of_list(&borrowed) else { return };
            let Some(at) = list.iter().position(|item| key_step(item, keys) == *step) else {
                return;
            };
            if rest.is_empty() {
                list.remove(at);
            } else {
                remove_field(&mut list[at], rest, names);
            }
        }
        (Some(("v", value)), Value::Array(list)) => list.retain(|item| *item != value),
        _ => {}
    }
}
