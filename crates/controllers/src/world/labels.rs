//! Who has which labels: from a selector to pods, and from a pod to the services that select it, without looking at all of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::facts::{Key, Uid, fnv64};

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

#[derive(Debug, Default)]
pub(super) struct PodLabels(HashMap<u64, HashSet<Uid>>);

impl PodLabels {
    pub(super) fn insert(&mut self, namespace: &str, labels: &BTreeMap<String, String>, pod: &Uid) {
        for (key, value) in labels {
            self.0.entry(pair(namespace, key, value)).or_default().insert(Uid::clone(pod));
        }
    }

    pub(super) fn remove(&mut self, namespace: &str, labels: &BTreeMap<String, String>, pod: &Uid) {
        for (key, value) in labels {
            let number = pair(namespace, key, value);
            if let Some(pods) = self.0.get_mut(&number) {
                pods.remove(pod);
                if pods.is_empty() {
                    self.0.remove(&number);
                }
            }
        }
    }

    /// All pods that can match: those with the rarest label of the selector.
    pub(super) fn candidates(
        &self,
        namespace: &str,
        selector: &BTreeMap<String, String>,
    ) -> Option<&HashSet<Uid>> {
        let sets = selector.iter().map(|(key, value)| self.0.get(&pair(namespace, key, value)));
        sets.collect::<Option<Vec<_>>>()?.into_iter().min_by_key(|set| set.len())
    }
}

#[derive(Debug, Default)]
pub(super) struct ServiceSelectors(HashMap<u64, HashSet<Key>>);

impl ServiceSelectors {
    pub(super) fn insert(&mut self, service: &Key, selector: &BTreeMap<String, String>) {
        if let Some((key, value)) = selector.first_key_value() {
            self.0.entry(pair(&service.namespace, key, value)).or_default().insert(service.clone());
        }
    }

    pub(super) fn remove(&mut self, service: &Key, selector: &BTreeMap<String, String>) {
        if let Some((key, value)) = selector.first_key_value() {
            let number = pair(&service.namespace, key, value);
            if let Some(services) = self.0.get_mut(&number) {
                services.remove(service);
                if services.is_empty() {
                    self.0.remove(&number);
                }
            }
        }
    }

    /// The services that may select a pod with these labels.
    pub(super) fn candidates(
        &self,
        namespace: &str,
        labels: &BTreeMap<String, String>,
    ) -> impl Iterator<Item = &Key> {
        labels
            .iter()
            .filter_map(move |(key, value)| self.0.get(&pair(namespace, key, value)))
            .flatten()
    }
}
