//! Who has which labels: from a selector to pods and replica sets, and from one of these to those that select it, without looking at
//! all of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use crate::facts::{Uid, fnv64};

/// Namespace, key and value as one number. Two pairs of the same number cost a comparison, no more: who asks compares the labels.
fn pair(namespace: &str, key: &str, value: &str) -> u64 {
    let mut bytes = Vec::with_capacity(namespace.len() + key.len() + value.len() + 2);
    bytes.extend(namespace.as_bytes());
    bytes.push(0);
    bytes.extend(key.as_bytes());
    bytes.push(0);
    bytes.extend(value.as_bytes());
    fnv64(&bytes)
}

/// Things of a namespace by their labels.
#[derive(Debug, Default)]
pub(super) struct Labels(HashMap<u64, HashSet<Uid>>);

impl Labels {
    pub(super) fn insert(&mut self, namespace: &str, labels: &BTreeMap<String, String>, of: &Uid) {
        for (key, value) in labels {
            self.0.entry(pair(namespace, key, value)).or_default().insert(Uid::clone(of));
        }
    }

    pub(super) fn remove(&mut self, namespace: &str, labels: &BTreeMap<String, String>, of: &Uid) {
        for (key, value) in labels {
            let number = pair(namespace, key, value);
            if let Some(known) = self.0.get_mut(&number) {
                known.remove(of);
                if known.is_empty() {
                    self.0.remove(&number);
                }
            }
        }
    }

    /// All that can match: those with the rarest label of the selector.
    pub(super) fn candidates(
        &self,
        namespace: &str,
        selector: &BTreeMap<String, String>,
    ) -> Option<&HashSet<Uid>> {
        let sets = selector.iter().map(|(key, value)| self.0.get(&pair(namespace, key, value)));
        sets.collect::<Option<Vec<_>>>()?.into_iter().min_by_key(|set| set.len())
    }
}

/// Things by one of the labels that they select.
#[derive(Debug)]
pub(super) struct Selectors<T>(HashMap<u64, HashSet<T>>);

impl<T> Default for Selectors<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone + Eq + Hash> Selectors<T> {
    /// What names no label may select everything of its namespace.
    fn place(namespace: &str, selector: &BTreeMap<String, String>) -> u64 {
        let (key, value) = selector.first_key_value().map_or(("", ""), |(key, value)| (key, value));
        pair(namespace, key, value)
    }

    pub(super) fn insert(&mut self, namespace: &str, selector: &BTreeMap<String, String>, of: &T) {
        self.0.entry(Self::place(namespace, selector)).or_default().insert(of.clone());
    }

    pub(super) fn remove(&mut self, namespace: &str, selector: &BTreeMap<String, String>, of: &T) {
        let number = Self::place(namespace, selector);
        if let Some(known) = self.0.get_mut(&number) {
            known.remove(of);
            if known.is_empty() {
                self.0.remove(&number);
            }
        }
    }

    /// Those that may select something with these labels.
    pub(super) fn candidates(
        &self,
        namespace: &str,
        labels: &BTreeMap<String, String>,
    ) -> impl Iterator<Item = &T> {
        let numbers = labels.iter().map(move |(key, value)| pair(namespace, key, value));
        let any = pair(namespace, "", "");
        numbers.chain([any]).filter_map(move |number| self.0.get(&number)).flatten()
    }
}
