//! What is in each namespace.

use std::collections::{HashMap, HashSet};

use crate::facts::{Object, Uid};
use crate::kinds::Kind;

#[derive(Debug, Default)]
struct Inside {
    all: HashSet<Uid>,
    pods: usize,
}

#[derive(Debug, Default)]
pub(super) struct Contents(HashMap<String, Inside>);

impl Contents {
    pub(super) fn insert(&mut self, object: &Object) {
        if object.key.namespace.is_empty() {
            return;
        }
        let inside = self.0.entry(object.key.namespace.clone()).or_default();
        if inside.all.insert(Uid::clone(&object.uid)) && object.kind == Kind::Pod {
            inside.pods += 1;
        }
    }

    pub(super) fn remove(&mut self, object: &Object) {
        let Some(inside) = self.0.get_mut(&object.key.namespace) else { return };
        if inside.all.remove(&object.uid) && object.kind == Kind::Pod {
            inside.pods -= 1;
        }
        if inside.all.is_empty() {
            self.0.remove(&object.key.namespace);
        }
    }

    pub(super) fn of(&self, namespace: &str) -> impl Iterator<Item = &Uid> {
        self.0.get(namespace).into_iter().flat_map(|inside| &inside.all)
    }

    pub(super) fn is_empty(&self, namespace: &str) -> bool {
        !self.0.contains_key(namespace)
    }

    pub(super) fn has_pods(&self, namespace: &str) -> bool {
        self.0.get(namespace).is_some_and(|inside| inside.pods > 0)
    }
}
