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

impl Author<'_> {
    /// Whether a field is of the part that the author may change.
    fn counts(&self, resource: &Resource, path: &[String]) -> bool {
        match (path.first().map(String::as_str), self.subresource) {
            (Some("f:status"), "") => !resource.status,
            (Some("f:status"), part) => part == "status",
            (Some("f:metadata"), _) => true,
            (_, part) => part != "status",
        }
    }
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

    /// By what the entries of an object are in order.
    fn rank(&self) -> [&str; 5] {
        [&self.operation, &self.time, &self.manager, &self.api_version, &self.subresource]
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
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.render(),
        });
        if !self.time.is_empty() {
            entry["time"] = self.time.as_str().into();
        }
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

/// Writes the managers into an object that was made from the live one.
fn store(object: &mut Value, mut entries: Vec<Entry>, live: &Value) {
    entries.retain(|entry| !entry.fields.is_empty());
    entries.sort_by(|one, other| one.rank().cmp(&other.rank()));
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if entries.is_empty() {
        metadata.shift_remove("managedFields");
    } else {
        metadata.insert("managedFields".into(), entries.iter().map(Entry::render).collect());
    }
    // Times alone are no change.
    let before = live.pointer("/metadata/managedFields");
    if let Some(before) = before
        && same_but_for_times(object, live)
    {
        object["metadata"]["managedFields"] = before.clone();
    }
}

/// Whether two objects differ at most in the times of their managers.
fn same_but_for_times(one: &Value, other: &Value) -> bool {
    fn managers(entries: &Value, others: &Value) -> bool {
        let (Some(entries), Some(others)) = (entries.as_array(), others.as_array()) else {
            return entries == others;
        };
        let same = |(one, other)| same_but(one, other, "time", |_, _| true);
        entries.len() == others.len() && entries.iter().zip(others).all(same)
    }
    same_but(one, other, "metadata", |one, other| same_but(one, other, "managedFields", managers))
}

/// Whether two maps are the same, one field of them compared in another way if both have it.
fn same_but(
    one: &Value,
    other: &Value,
    field: &str,
    same: impl Fn(&Value, &Value) -> bool,
) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else {
        return one == other;
    };
    one.len() == other.len()
        && one.iter().all(|(name, value)| {
            let other = other.get(name);
            other.is_some_and(
                |other| if name == field { same(value, other) } else { value == other },
            )
        })
}

/// Notes who made an object.
pub(crate) fn track_create(resource: &Resource, object: &mut Value, author: &Author<'_>) {
    let entries = first_entry(resource, object, author).into_iter().collect();
    store(object, entries, &Value::Null);
}

/// All of an object as the work of one author.
fn first_entry(resource: &Resource, object: &Value, author: &Author<'_>) -> Option<Entry> {
    let nothing = Value::Object(Map::new());
    let mut fields = leaves::compare(&leaves::of(&nothing), &leaves::of(object)).changed;
    fields.retain(|path| author.counts(resource, path));
    let entry = Entry { fields, time: clock::stamp(), ..Entry::new(author, UPDATE, resource) };
    (!entry.fields.is_empty()).then_some(entry)
}

/// Notes who changed an object from its old state; the entries of the old state are the ones that go on.
pub(crate) fn track_update(resource: &Resource, new: &mut Value, old: &Value, author: &Author<'_>) {
    let mut list = entries(new);
    // What nobody manages stays so until somebody applies.
    if list.is_empty() {
        return;
    }
    let difference = leaves::compare(&leaves::of(old), &leaves::of(new));
    for entry in &mut list {
        entry.fields.remove_all(&difference.changed);
        entry.fields.remove_all(&difference.removed);
    }
    let mut taken = difference.changed;
    taken.retain(|path| author.counts(resource, path));
    if !taken.is_empty() {
        let own = Entry::new(author, UPDATE, resource);
        let known = list
            .iter()
            .position(|entry| entry.is_of(author, UPDATE) && entry.api_version == own.api_version);
        let at = known.unwrap_or(list.len());
        if known.is_none() {
            list.push(own);
        }
        list[at].fields.add_all(&taken);
        list[at].time = clock::stamp();
    }
    store(new, list, old);
}

#[cfg(test)]
mod tests;
