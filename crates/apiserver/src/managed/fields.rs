//! A set of fields, and its form in `fieldsV1`.
//!
//! A field is a path of steps: `f:name` into an object, `k:{"name":"x"}` to an item of a list with keys,
//! `v:"x"` to a value of a set.

use std::{cmp::Ordering, collections::BTreeSet};

use serde_json::{Map, Value};

/// A path of steps.
pub(super) type Path = Vec<String>;

/// A set of fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(BTreeSet<Path>);

impl FromIterator<Path> for Fields {
    fn from_iter<T: IntoIterator<Item = Path>>(paths: T) -> Self {
        Self(paths.into_iter().collect())
    }
}

impl Fields {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, path: &[String]) -> bool {
        self.0.contains(path)
    }

    /// The fields of each object before what is inside of them, as the real server tells them.
    pub(super) fn in_order(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.0.iter().collect();
        paths.sort_by(|a, b| order(a, b));
        paths
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    pub(super) fn remove_all(&mut self, other: &Self) {
        if other.0.len() < self.0.len() {
            for path in &other.0 {
                self.0.remove(path);
            }
        } else {
            self.0.retain(|path| !other.0.contains(path));
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Path) -> bool) {
        self.0.retain(keep);
    }

    pub(super) fn common(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// With the named fields that lead to the ones of the set, but for the metadata, which nobody can do without.
    pub(super) fn with_ways(&self) -> Self {
        let mut all = self.0.clone();
        for path in &self.0 {
            let ways = (1..path.len()).rev().map(|length| &path[..length]);
            all.extend(
                ways.filter(|way| is_named(way) && *way != ["f:metadata"]).map(<[String]>::to_vec),
            );
        }
        Self(all)
    }

    pub(super) fn parse(value: &Value) -> Self {
        let mut fields = Self::default();
        fields.collect(value, &mut Vec::new());
        fields
    }

    fn collect(&mut self, value: &Value, path: &mut Path) {
        let Some(map) = value.as_object() else { return };
        if !path.is_empty() && (map.is_empty() || map.contains_key(".")) {
            self.0.insert(path.clone());
        }
        for (step, below) in map.iter().filter(|(step, _)| *step != ".") {
            path.push(step.clone());
            self.collect(below, path);
            path.pop();
        }
    }

    pub(super) fn render(&self) -> Value {
        let mut root = Value::Object(Map::new());
        // A path comes before the ones below it, so a node that gets children later is known to be a member.
        for path in &self.0 {
            let mut node = &mut root;
            for (depth, step) in path.iter().enumerate() {
                let is_member = depth > 0 && node.as_object().is_some_and(Map::is_empty);
                let Value::Object(map) = node else { break };
                if is_member && self.0.contains(&path[..depth]) {
                    map.insert(".".into(), Value::Object(Map::new()));
                }
                node = map.entry(step.clone()).or_insert_with(|| Value::Object(Map::new()));
            }
        }
        root
    }
}

fn is_named(path: &[String]) -> bool {
    path.last().is_some_and(|step| step.starts_with("f:"))
}

fn order(a: &Path, b: &Path) -> Ordering {
    let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let rest = |path: &Path| path.len() - shared;
    match (rest(a), rest(b)) {
        (0 | 1, 2..) | (0, 1) => Ordering::Less,
        (2.., 0 | 1) | (1, 0) => Ordering::Greater,
        _ => a[shared..].cmp(&b[shared..]),
    }
}

/// A path as messages show it: `.spec.containers[name="x"].image`.
pub(super) fn describe(path: &Path) -> String {
    path.iter().map(|step| describe_step(step)).collect()
}

fn describe_step(step: &str) -> String {
    match step.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("k", key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let parts: Vec<String> =
                key.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", parts.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        _ => step.to_owned(),
    }
}
