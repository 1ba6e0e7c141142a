//! The roles and bindings that are stored, read once and then followed, so that requests are judged without reading any.

use std::sync::{PoisonError, RwLock};

use tokio::sync::watch;

use super::rbac::Policy;
use crate::{
    resources::{RBAC_GROUP, Registry, Resource},
    storage::Store,
};

const KINDS: [&str; 4] = ["roles", "clusterroles", "rolebindings", "clusterrolebindings"];

/// What is stored, as far as it has been asked for.
pub(crate) struct Roles {
    kinds: Vec<Kind>,
    known: RwLock<Known>,
}

struct Kind {
    resource: &'static Resource,
    /// The revision of the last change.
    changed: watch::Receiver<u64>,
}

struct Known {
    policy: Policy,
    /// Of each kind the revision up to which it is known.
    revisions: Vec<u64>,
}

impl Roles {
    /// Reads what is there.
    pub(crate) fn follow(store: &Store, registry: &'static Registry) -> Self {
        let kinds: Vec<Kind> = KINDS
            .iter()
            .filter_map(|plural| registry.find(RBAC_GROUP, "v1", plural))
            .map(|resource| Kind { resource, changed: store.subscribe(resource.id) })
            .collect();
        let mut known = Known { policy: Policy::default(), revisions: vec![0; kinds.len()] };
        known.read_all(&kinds, store);
        Self { kinds, known: RwLock::new(known) }
    }

    /// Looks at what holds now: every change that was answered counts.
    pub(crate) fn look<T>(&self, store: &Store, look: impl FnOnce(&Policy) -> T) -> T {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.is_current(&self.kinds) {
            return look(&known.policy);
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.catch_up(&self.kinds, store);
        look(&known.policy)
    }
}

impl Known {
    fn is_current(&self, kinds: &[Kind]) -> bool {
        kinds.iter().zip(&self.revisions).all(|(kind, known)| *kind.changed.borrow() <= *known)
    }

    fn catch_up(&mut self, kinds: &[Kind], store: &Store) {
        for (kind, known) in kinds.iter().zip(&mut self.revisions) {
            let Ok((events, revision)) = store.events_after(kind.resource.id, *known, usize::MAX)
            else {
                // Too much has changed to follow it one by one.
                return self.read_all(kinds, store);
            };
            for event in events {
                let value = (!event.deleted).then(|| event.object.value());
                take(&mut self.policy, kind.resource, &event.key, value.as_ref());
            }
            *known = revision;
        }
    }

    fn read_all(&mut self, kinds: &[Kind], store: &Store) {
        self.policy = Policy::default();
        for (kind, known) in kinds.iter().zip(&mut self.revisions) {
            let (entries, revision) = store.list(kind.resource.id, None);
            for (key, object) in entries {
                take(&mut self.policy, kind.resource, &key, Some(&object.value()));
            }
            *known = revision;
        }
    }
}

fn take(policy: &mut Policy, resource: &Resource, key: &str, object: Option<&serde_json::Value>) {
    let (namespace, name) =
        key.split_once('/').filter(|_| resource.namespaced).unwrap_or(("", key));
    if resource.plural.ends_with("bindings") {
        policy.set_binding(namespace, name, object);
    } else {
        policy.set_role(namespace, name, object);
    }
}
