//! What the pods of each node take, counted as they come and go.

use std::collections::{HashMap, HashSet};

use flumen_quota::Amounts;

use crate::facts::{Pod, Uid};

#[derive(Debug, Default)]
pub(crate) struct Capacity {
    used: HashMap<String, Amounts>,
    /// Pods whose binding was asked for but has not been seen yet, with their node.
    assumed: HashMap<Uid, String>,
    /// Pods that wait for a node.
    waiting: HashSet<Uid>,
}

impl Capacity {
    /// What the pods of `node` take.
    pub(crate) fn used(&self, node: &str) -> Option<&Amounts> {
        self.used.get(node)
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Uid> {
        self.waiting.iter()
    }

    pub(crate) fn is_assumed(&self, pod: &str) -> bool {
        self.assumed.contains_key(pod)
    }

    pub(super) fn take(&mut self, uid: &Uid, pod: &Pod, deleting: bool) {
        if pod.node.is_some() || pod.phase.is_final() || deleting {
            self.assumed.remove(uid);
        }
        let node = pod.node.clone().or_else(|| self.assumed.get(uid).cloned());
        match node {
            Some(node) if !pod.phase.is_final() => self.count(&node, pod, true),
            None if pod.waiting.is_some() && !deleting => {
                self.waiting.insert(Uid::clone(uid));
            }
            _ => {}
        }
    }

    /// The opposite of [`Self::take`]; an assumption stays until the pod's node is seen.
    pub(super) fn release(&mut self, uid: &Uid, pod: &Pod) {
        self.waiting.remove(uid);
        if let Some(node) = pod.node.clone().or_else(|| self.assumed.get(uid).cloned())
            && !pod.phase.is_final()
        {
            self.count(&node, pod, false);
        }
    }

    /// The pod does not exist any more.
    pub(super) fn gone(&mut self, uid: &str) {
        self.assumed.remove(uid);
    }

    /// Counts a pod on a node before its binding is seen.
    pub(crate) fn assume(&mut self, uid: &Uid, pod: &Pod, node: &str) {
        self.waiting.remove(uid);
        self.assumed.insert(Uid::clone(uid), node.to_owned());
        self.count(node, pod, true);
    }

    /// Takes an assumption back: the binding failed. Answers whether there was one.
    pub(super) fn forget(&mut self, uid: &Uid, pod: &Pod) -> bool {
        let Some(node) = self.assumed.remove(uid) else { return false };
        self.count(&node, pod, false);
        self.waiting.insert(Uid::clone(uid));
        true
    }

    fn count(&mut self, node: &str, pod: &Pod, more: bool) {
        let used = self.used.entry(node.to_owned()).or_default();
        for (name, amount) in &pod.requests {
            let sum = used.entry(name.clone()).or_default();
            *sum = if more { sum.plus(*amount) } else { sum.minus(*amount) };
        }
    }
}
