//! Which uid a pod's name stands for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Shared by the pods and the endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    uids: Arc<Mutex<HashMap<(String, String), String>>>,
}

impl Names {
    pub(crate) fn find(&self, namespace: &str, name: &str) -> Option<String> {
        let key = (namespace.to_owned(), name.to_owned());
        self.uids.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    pub(crate) fn insert(&self, namespace: &str, name: &str, uid: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        self.uids.lock().unwrap_or_else(PoisonError::into_inner).insert(key, uid.to_owned());
    }

    /// Forgets the name unless another pod has it by now.
    pub(crate) fn remove(&self, uid: &str) {
        self.uids.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, other| other != uid);
    }
}
