//! The fields that an object has, as server-side apply counts them, and how two states of an object differ.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{Fields, Path};
use crate::patches::schema::{self, Merge};

/// Each field with its value; the items of lists with keys are fields themselves, without a value.
pub(super) type Leaves<'a> = BTreeMap<Path, Option<&'a Value>>;

/// Metadata that no client manages.
const UNMANAGED: [&str; 10] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
    "managedFields",
];

/// All fields of an object.
pub(super) fn of(object: &Value) -> Leaves<'_> {
    let mut leaves = Leaves::new();
    for (field, value) in object.as_object().into_iter().flatten() {
        match field.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if !UNMANAGED.contains(&name.as_str()) {
                        let mut walk = Walk { leaves: &mut leaves, names: vec![field, name] };
                        walk.value(value, &mut vec!["f:metadata".into(), format!("f:{name}")]);
                    }
                }
            }
            _ => {
                let mut walk = Walk { leaves: &mut leaves, names: vec![field] };
                walk.value(value, &mut vec![format!("f:{field}")]);
            }
        }
    }
    leaves
}

struct Walk<'a, 'b> {
    leaves: &'b mut Leaves<'a>,
    /// The names of the fields that lead here, which is what the schema knows.
    names: Vec<&'a str>,
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, value: &'a Value, path: &mut Path) {
        match value {
            Value::Null => {}
            Value::Object(map)
                if !map.is_empty() && schema::of_object(&self.names) == Merge::Fields =>
            {
                for (name, value) in map {
                    self.names.push(name);
                    path.push(format!("f:{name}"));
                    self.value(value, path);
                    path.pop();
                    self.names.pop();
                }
            }
            Value::Array(list) if !list.is_empty() => self.list(value, list, path),
            _ => {
                self.leaves.insert(path.clone(), Some(value));
            }
        }
    }

    fn list(&mut self, whole: &'a Value, list: &'a [Value], path: &mut Path) {
        match schema::of_list(&self.names) {
            Merge::Keys(keys) => {
                for item in list {
                    path.push(key_step(item, keys));
                    self.leaves.insert(path.clone(), None);
                    self.value(item, path);
                    path.pop();
                }
            }
            Merge::Set => {
                for item in list {
                    path.push(format!("v:{item}"));
                    self.leaves.insert(path.clone(), Some(item));
                    path.pop();
                }
            }
            Merge::Atomic | Merge::Fields => {
                self.leaves.insert(path.clone(), Some(whole));
            }
        }
    }
}

/// The step to an item of a list with keys.
pub(super) fn key_step(item: &Value, keys: &[&str]) -> String {
    let mut sorted: Vec<&&str> = keys.iter().collect();
    sorted.sort();
    let mut key = Map::new();
    for name in sorted {
        let value = item.get(*name).cloned();
        let value = value.or_else(|| schema::default_of_key(name).map(Value::from));
        if let Some(value) = value {
            key.insert((**name).to_owned(), value);
        }
    }
    format!("k:{}", Value::Object(key))
}

/// Only the names of the fields.
pub(super) fn fields(leaves: &Leaves<'_>) -> Fields {
    let mut fields = Fields::default();
    for path in leaves.keys() {
        fields.insert(path.clone());
    }
    fields
}

/// What is new or different in `after`.
pub(super) fn changed(before: &Leaves<'_>, after: &Leaves<'_>) -> Fields {
    let mut fields = Fields::default();
    for (path, value) in after {
        if before.get(path) != Some(value) {
            fields.insert(path.clone());
        }
    }
    fields
}

/// What is no more in `after`.
pub(super) fn removed(before: &Leaves<'_>, after: &Leaves<'_>) -> Fields {
    let mut fields = Fields::default();
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        fields.insert(path.clone());
    }
    fields
}
