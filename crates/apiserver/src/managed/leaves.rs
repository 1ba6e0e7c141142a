//! The fields that an object has, as server-side apply counts them, and how two states of an object differ.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::fields::{Fields, Path};
use crate::patches::schema::{self, Merge};

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node<'a> {
    /// A value that is compared as a whole.
    Leaf(&'a Value),
    /// An item of a list with keys.
    Item,
    /// An object or a list whose parts are fields of their own.
    Inner,
}

/// Each field of an object.
pub(super) type Leaves<'a> = BTreeMap<Path, Node<'a>>;

/// Metadata that no client manages.
const UNMANAGED: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "selfLink",
    "managedFields",
];

/// What every object of the real server has, because its types hold it in place: it is never added by anybody.
const IN_PLACE: [&[&str]; 13] = [
    &["metadata"],
    &["spec"],
    &["status"],
    &["source"],
    &["spec", "strategy"],
    &["spec", "template"],
    &["spec", "template", "metadata"],
    &["spec", "template", "spec"],
    &["spec", "template", "spec", "containers"],
    &["spec", "containers"],
    &["spec", "resources"],
    &["status", "loadBalancer"],
    &["status", "nodeInfo"],
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
            Value::Object(map)
                if !map.is_empty() && schema::of_object(&self.names) == Merge::Fields =>
            {
                self.leaves.entry(path.clone()).or_insert(Node::Inner);
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
                self.leaves.insert(path.clone(), Node::Leaf(value));
            }
        }
    }

    fn list(&mut self, whole: &'a Value, list: &'a [Value], path: &mut Path) {
        match schema::of_list(&self.names) {
            Merge::Keys(keys) => {
                self.leaves.insert(path.clone(), Node::Inner);
                let steps: Vec<String> = list.iter().map(|item| key_step(item, keys)).collect();
                let mut counts = HashMap::new();
                for step in &steps {
                    *counts.entry(step).or_insert(0) += 1;
                }
                for (item, step) in list.iter().zip(&steps) {
                    path.push(step.clone());
                    self.leaves.insert(path.clone(), Node::Item);
                    // Of items with the same key nobody can manage parts.
                    if counts.get(step) == Some(&1) {
                        self.value(item, path);
                    }
                    path.pop();
                }
            }
            Merge::Set => {
                self.leaves.insert(path.clone(), Node::Inner);
                for item in list {
                    path.push(format!("v:{item}"));
                    self.leaves.insert(path.clone(), Node::Leaf(item));
                    path.pop();
                }
            }
            Merge::Atomic | Merge::Fields => {
                self.leaves.insert(path.clone(), Node::Leaf(whole));
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

/// The fields that who applies an object wants: its values and the items of its lists.
pub(super) fn wanted(leaves: &Leaves<'_>) -> Fields {
    let counts = |node: &Node<'_>| match node {
        Node::Leaf(value) => !value.as_array().is_some_and(Vec::is_empty),
        Node::Item => true,
        Node::Inner => false,
    };
    leaves.iter().filter(|(_, node)| counts(node)).map(|(path, _)| path.clone()).collect()
}

/// How one state of an object differs from the one before.
pub(super) struct Difference {
    /// What is new or has another value.
    pub(super) changed: Fields,
    /// What is no more.
    pub(super) removed: Fields,
}

/// Compares two states of an object.
pub(super) fn compare(before: &Leaves<'_>, after: &Leaves<'_>) -> Difference {
    let differs = |old: Option<&Node<'_>>, new: &Node<'_>| match (old, new) {
        (None, _) => true,
        (Some(Node::Leaf(old)), Node::Leaf(new)) => old != new,
        _ => false,
    };
    let changed = after.iter().filter(|(path, node)| differs(before.get(*path), node));
    let removed = before.keys().filter(|path| !after.contains_key(*path));
    Difference {
        changed: changed.map(|(path, _)| path).filter(|path| !in_place(path)).cloned().collect(),
        removed: removed.filter(|path| !in_place(path)).cloned().collect(),
    }
}

fn in_place(path: &Path) -> bool {
    let is = |names: &&[&str]| {
        names.len() == path.len()
            && names.iter().zip(path).all(|(name, step)| step.strip_prefix("f:") == Some(name))
    };
    IN_PLACE.iter().any(is)
}
