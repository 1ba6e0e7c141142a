//! Everything the controllers know of the cluster: one synchronous index, fed by watches and by the answers to own writes.
//! A change comes in, the wakes it causes come out; there is no IO and no decision in here.

mod capacity;
mod contents;
mod labels;
mod wake;

use std::collections::{BTreeMap, HashMap, HashSet};

pub(crate) use capacity::Capacity;
pub(crate) use wake::{LEASES, Wake};

use jiff::Timestamp;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use tokio::time::Instant;

use crate::facts::{Facts, Key, Node, Object, Uid};
use crate::kinds::Kind;
use crate::node::Pulse;
use crate::services::trigger::Triggers;
use contents::Contents;
use labels::{Labels, Selectors};

#[derive(Debug, Default)]
pub(crate) struct World {
    objects: HashMap<Uid, Object>,
    names: HashMap<(Kind, Key), Uid>,
    /// Who names whom as owner, also owners that do not exist.
    dependents: HashMap<Uid, HashSet<Uid>>,
    /// The highest version that the watch of a kind has brought.
    seen: HashMap<Kind, u64>,
    contents: Contents,
    pod_labels: Labels,
    set_labels: Labels,
    selectors: Selectors<Key>,
    /// The replica sets by the labels that they select.
    sets: Selectors<Uid>,
    /// The Deployments by the labels that they select.
    deployments: Selectors<Uid>,
    slices: HashMap<Key, HashSet<Uid>>,
    /// The names of the quotas of each namespace that has any.
    quotas: HashMap<String, HashSet<String>>,
    /// What was known of each service when it was last looked at.
    pub(crate) triggers: Triggers,
    pub(crate) capacity: Capacity,
    /// Whose label selector cannot be read, which was said.
    pub(crate) unreadable: HashSet<Uid>,
    nodes: HashSet<Uid>,
    /// Since when nodes are missing that pods are bound to.
    missing_nodes: HashMap<String, Instant>,
    /// Whether the controllers themselves have run meanwhile.
    pub(crate) pulse: Pulse,
    /// When each node was last heard.
    pub(crate) heard: HashMap<String, Heard>,
    /// Since when pods are on nodes whose taints they bear for a while.
    pub(crate) evictions: HashMap<Uid, Instant>,
}

/// The last sign of life of a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    /// What changes with each sign: the version of its lease, and what its kubelet wrote into its status.
    pub(crate) sign: (u64, Option<Timestamp>),
}

impl World {
    /// Takes what a watch brought.
    pub(crate) fn watched(&mut self, object: Object) -> Vec<Wake> {
        let seen = self.seen.entry(object.kind).or_default();
        *seen = (*seen).max(object.version);
        self.put(object)
    }

    /// Takes the answer to an own write, so that the next decision knows of it before the watch does. Ignored if the watch is past
    /// that version: then the object may be gone already.
    pub(crate) fn answered(&mut self, object: Object) -> Vec<Wake> {
        let seen = self.seen.get(&object.kind).copied().unwrap_or(0);
        if object.version <= seen { Vec::new() } else { self.put(object) }
    }

    fn put(&mut self, object: Object) -> Vec<Wake> {
        if self.objects.get(&object.uid).is_some_and(|known| known.version > object.version) {
            return Vec::new();
        }
        let uid = Uid::clone(&object.uid);
        let assumed = self.capacity.is_assumed(&uid);
        let old = self.objects.remove(&uid);
        if let Some(old) = &old {
            self.unlink(old);
        }
        self.link(&object);
        let wakes = wake::wakes(self, old.as_ref(), Some(&object), assumed);
        self.objects.insert(uid, object);
        wakes
    }

    /// Forgets an object that a watch reported as deleted.
    pub(crate) fn removed(&mut self, kind: Kind, uid: &str, version: u64) -> Vec<Wake> {
        let seen = self.seen.entry(kind).or_default();
        *seen = (*seen).max(version);
        let Some(old) = self.objects.remove(uid) else { return Vec::new() };
        let assumed = self.capacity.is_assumed(uid);
        self.unlink(&old);
        self.capacity.gone(uid);
        self.evictions.remove(uid);
        self.unreadable.remove(uid);
        wake::wakes(self, Some(&old), None, assumed)
    }

    /// Takes back that a pod has a node: its binding failed. It is tried again by itself, the others are woken.
    pub(crate) fn unbound(&mut self, uid: &Uid) -> Vec<Wake> {
        let pod = self.get(uid).and_then(Object::pod).cloned();
        if !pod.is_some_and(|pod| self.capacity.forget(uid, &pod)) {
            return Vec::new();
        }
        self.waiting().into_iter().filter(|other| other != uid).map(Wake::Schedule).collect()
    }

    /// All pods that wait for a node, oldest first.
    pub(crate) fn waiting(&self) -> Vec<Uid> {
        let waiting = self.capacity.waiting().filter_map(|uid| self.get(uid));
        let mut waiting: Vec<&Object> = waiting.collect();
        waiting.sort_by_key(|object| (object.pod().map(|pod| pod.created), object.version));
        waiting.into_iter().map(|object| Uid::clone(&object.uid)).collect()
    }

    /// Forgets the objects of a kind that a new list no longer has.
    pub(crate) fn retain(&mut self, kind: Kind, listed: &HashSet<Uid>) -> Vec<Wake> {
        let gone: Vec<Uid> = self
            .objects
            .values()
            .filter(|object| object.kind == kind && !listed.contains(&object.uid))
            .map(|object| Uid::clone(&object.uid))
            .collect();
        gone.iter().flat_map(|uid| self.removed(kind, uid, 0)).collect()
    }

    fn link(&mut self, object: &Object) {
        self.names.insert((object.kind, object.key.clone()), Uid::clone(&object.uid));
        self.contents.insert(object);
        for owner in &object.owners {
            self.dependents
                .entry(Uid::clone(&owner.uid))
                .or_default()
                .insert(Uid::clone(&object.uid));
        }
        match &object.facts {
            Facts::Pod(pod) => {
                self.pod_labels.insert(&object.key.namespace, &pod.labels, &object.uid);
                self.capacity.take(&object.uid, pod, object.deleting);
            }
            Facts::Service(service) if !service.selector.is_empty() => {
                self.selectors.insert(&object.key.namespace, &service.selector, &object.key);
            }
            Facts::ReplicaSet(set) => {
                self.sets.insert(&object.key.namespace, &set.match_labels, &object.uid);
                self.set_labels.insert(&object.key.namespace, &set.labels, &object.uid);
            }
            Facts::Deployment(of) => {
                self.deployments.insert(&object.key.namespace, &of.match_labels, &object.uid);
            }
            Facts::Slice(_) => {
                if let Some(service) = object.service_of_slice() {
                    self.slices.entry(service).or_default().insert(Uid::clone(&object.uid));
                }
            }
            Facts::Quota { .. } => {
                let names = self.quotas.entry(object.key.namespace.clone()).or_default();
                names.insert(object.key.name.clone());
            }
            Facts::Node(_) => {
                self.nodes.insert(Uid::clone(&object.uid));
            }
            _ => {}
        }
    }

    fn unlink(&mut self, object: &Object) {
        let name = (object.kind, object.key.clone());
        // An object of the same name may have come already.
        if self.names.get(&name) == Some(&object.uid) {
            self.names.remove(&name);
        }
        self.contents.remove(object);
        for owner in &object.owners {
            if let Some(known) = self.dependents.get_mut(&owner.uid) {
                known.remove(&object.uid);
                if known.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
        match &object.facts {
            Facts::Pod(pod) => {
                self.pod_labels.remove(&object.key.namespace, &pod.labels, &object.uid);
                self.capacity.release(&object.uid, pod);
            }
            Facts::Service(service) if !service.selector.is_empty() => {
                self.selectors.remove(&object.key.namespace, &service.selector, &object.key);
            }
            Facts::ReplicaSet(set) => {
                self.sets.remove(&object.key.namespace, &set.match_labels, &object.uid);
                self.set_labels.remove(&object.key.namespace, &set.labels, &object.uid);
            }
            Facts::Deployment(of) => {
                self.deployments.remove(&object.key.namespace, &of.match_labels, &object.uid);
            }
            Facts::Slice(_) => {
                let service = object.service_of_slice();
                forget(&mut self.slices, service.as_ref(), &object.uid);
            }
            Facts::Quota { .. } => {
                forget(&mut self.quotas, Some(&object.key.namespace), &object.key.name);
            }
            Facts::Node(_) => {
                self.nodes.remove(&object.uid);
            }
            _ => {}
        }
    }

    pub(crate) fn get(&self, uid: &str) -> Option<&Object> {
        self.objects.get(uid)
    }

    pub(crate) fn named(&self, kind: Kind, key: &Key) -> Option<&Object> {
        self.objects.get(self.names.get(&(kind, key.clone()))?)
    }

    /// The objects that name `owner` as an owner.
    pub(crate) fn dependents(&self, owner: &str) -> impl Iterator<Item = &Object> {
        self.dependents.get(owner).into_iter().flatten().filter_map(|uid| self.objects.get(uid))
    }

    /// The objects that `owner` manages (it is their controller).
    pub(crate) fn managed(&self, owner: &str) -> impl Iterator<Item = &Object> {
        self.dependents(owner).filter(move |object| {
            object.controller().is_some_and(|controller| &*controller.uid == owner)
        })
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Object> {
        self.nodes.iter().filter_map(|uid| self.objects.get(uid))
    }

    pub(crate) fn node(&self, name: &str) -> Option<&Node> {
        self.named(Kind::Node, &Key::new("", name))?.node()
    }

    /// The pods that are bound to a node; looks at all objects.
    pub(crate) fn pods_of(&self, node: &str) -> impl Iterator<Item = &Object> {
        self.objects
            .values()
            .filter(move |object| object.pod().is_some_and(|pod| pod.node.as_deref() == Some(node)))
    }

    /// The pods of a namespace that have all these labels; none for an empty selector.
    pub(crate) fn selected_pods(
        &self,
        namespace: &str,
        selector: &BTreeMap<String, String>,
    ) -> Vec<&Object> {
        self.labelled(&self.pod_labels, namespace, selector)
    }

    /// The pods of a namespace that have all these labels; all of them if none are named.
    pub(crate) fn pods_with(
        &self,
        namespace: &str,
        labels: &BTreeMap<String, String>,
    ) -> Vec<&Object> {
        if labels.is_empty() {
            return self.all(Kind::Pod, namespace);
        }
        self.selected_pods(namespace, labels)
    }

    /// The same of replica sets.
    pub(crate) fn sets_with(
        &self,
        namespace: &str,
        labels: &BTreeMap<String, String>,
    ) -> Vec<&Object> {
        if labels.is_empty() {
            return self.all(Kind::ReplicaSet, namespace);
        }
        self.labelled(&self.set_labels, namespace, labels)
    }

    fn labelled(
        &self,
        index: &Labels,
        namespace: &str,
        selector: &BTreeMap<String, String>,
    ) -> Vec<&Object> {
        let candidates = index.candidates(namespace, selector);
        let objects = candidates.into_iter().flatten().filter_map(|uid| self.objects.get(uid));
        let has_all = |labels: &BTreeMap<String, String>| {
            selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        };
        objects
            .filter(|object| {
                object.key.namespace == namespace && object.labels().is_some_and(has_all)
            })
            .collect()
    }

    fn all(&self, kind: Kind, namespace: &str) -> Vec<&Object> {
        self.contents(namespace).filter(|object| object.kind == kind).collect()
    }

    /// The slices that the controller has made for a service.
    pub(crate) fn slices(&self, service: &Key) -> impl Iterator<Item = &EndpointSlice> {
        let uids = self.slices.get(service).into_iter().flatten();
        uids.filter_map(|uid| match &self.objects.get(uid)?.facts {
            Facts::Slice(slice) => Some(&**slice),
            _ => None,
        })
    }

    /// The quotas of a namespace.
    pub(crate) fn quotas(&self, namespace: &str) -> impl Iterator<Item = Key> {
        let names = self.quotas.get(namespace).into_iter().flatten();
        names.map(move |name| Key::new(namespace, name.as_str()))
    }

    /// What the watches know to be in a namespace.
    pub(crate) fn contents(&self, namespace: &str) -> impl Iterator<Item = &Object> {
        self.contents.of(namespace).filter_map(|uid| self.objects.get(uid))
    }

    /// Notes that a node is missing; answers since when.
    pub(crate) fn node_missing(&mut self, node: &str, now: Instant) -> Instant {
        *self.missing_nodes.entry(node.to_owned()).or_insert(now)
    }

    pub(crate) fn node_found(&mut self, node: &str) {
        self.missing_nodes.remove(node);
    }

    /// Whether a namespace is there and being deleted.
    fn is_namespace_ending(&self, namespace: &str) -> bool {
        let key = Key::new("", namespace);
        self.named(Kind::Namespace, &key).is_some_and(|object| object.deleting)
    }
}

/// Takes something out of a set, and the set out of its map when it was the last.
fn forget<K: std::hash::Hash + Eq, V: std::hash::Hash + Eq>(
    sets: &mut HashMap<K, HashSet<V>>,
    key: Option<&K>,
    value: &V,
) {
    let Some(key) = key else { return };
    if let Some(known) = sets.get_mut(key) {
        known.remove(value);
        if known.is_empty() {
            sets.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
