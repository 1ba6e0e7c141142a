//! Who manages which fields of an object: `metadata.managedFields`, and server-side apply, which rests on it.

use serde_json::{Map, Value, json};

pub(crate) use self::apply::apply;
use self::fields::Fields;
use crate::{clock, resources::Resource};

mod apply;
mod fields;
mod leaves;

const APPLY: &str = "Apply";
const UPDATE: &str = "Update";

/// Who changes an object, and which part of it.
pub(crate) struct Author<'a> {
    pub(crate) manager: &'a str,
    pub(crate) subresource: &'a str,
}

/// One entry of `managedFields`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    manager: String,
    operation: String,
    api_version: String,
    time: String,
    subresource: String,
    fields: Fields,
}

impl Entry {
    fn new(author: &Author<'_>, operation: &str, resource: &Resource) -> Self {
        Self {
            manager: author.manager.to_owned(),
            operation: operation.to_owned(),
            api_version: resource.api_version(),
            time: String::new(),
            subresource: author.subresource.to_owned(),
            fields: Fields::default(),
        }
    }

    fn is_of(&self, author: &Author<'_>, operation: &str) -> bool {
        self.manager == author.manager
            && self.operation == operation
            && self.subresource == author.subresource
    }

    fn parse(value: &Value) -> Self {
        let text =
            |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            manager: text("manager"),
            operation: text("operation"),
            api_version: text("apiVersion"),
            time: text("time"),
            subresource: text("subresource"),
            fields: Fields::parse(value.get("fieldsV1").unwrap_or(&Value::Null)),
        }
    }

    fn render(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.render(),
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = self.subresource.as_str().into();
        }
        entry
    }
}

fn entries(object: &Value) -> Vec<Entry> {
    let list = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    list.into_iter().flatten().map(Entry::parse).collect()
}

fn store(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.is_empty());
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if entries.is_empty() {
        metadata.shift_remove("managedFields");
    } else {
        metadata.insert("managedFields".into(), entries.iter().map(Entry::render).collect());
    }
}

/// Notes who made an object.
pub(crate) fn track_create(resource: &Resource, object: &mut Value, author: &Author<'_>) {
    track_update(resource, object, &Value::Object(Map::new()), author);
}

/// Notes who changed an object from its old state; the entries of the old state are the ones that go on.
pub(crate) fn track_update(resource: &Resource, new: &mut Value, old: &Value, author: &Author<'_>) {
    let (before, after) = (leaves::of(old), leaves::of(new));
    let changed = leaves::changed(&before, &after);
    let removed = leaves::removed(&before, &after);
    let mut list = entries(new);
    if changed.is_empty() && removed.is_empty() {
        return;
    }
    if !list.iter().any(|entry| entry.is_of(author, UPDATE)) {
        list.push(Entry::new(author, UPDATE, resource));
    }
    for entry in &mut list {
        let fields_before = entry.fields.clone();
        entry.fields.remove_all(&removed);
        if entry.is_of(author, UPDATE) {
            entry.fields.add_all(&changed);
            entry.api_version = resource.api_version();
        } else {
            entry.fields.remove_all(&changed);
        }
        if entry.fields != fields_before && entry.is_of(author, UPDATE) {
            entry.time = clock::stamp();
        }
    }
    store(new, list);
}

#[cfg(test)]
mod tests;
