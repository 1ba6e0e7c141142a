//! What of the node's pods runs, for those who come from outside: `exec`, port forwarding.

use std::{
    collections::{BTreeMap, HashMap},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::protocol;

/// A container that runs.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    /// The supervisor's number.
    pub(crate) process: u64,
    pub(crate) configuration: Arc<protocol::Container>,
}

/// A pod's network, and its end.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) network: Arc<OwnedFd>,
    pub(crate) ended: CancellationToken,
}

#[derive(Debug, Default)]
struct Pod {
    place: Option<Place>,
    containers: BTreeMap<String, Running>,
}

/// Shared by the pods and the endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Present {
    pods: Arc<Mutex<HashMap<String, Pod>>>,
    /// Ends with the node's present life: with a power failure all of it is over.
    life: CancellationToken,
}

impl Present {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Pod>> {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cancelled when nothing of the node runs any more, whoever still asks for it.
    pub(crate) fn life(&self) -> &CancellationToken {
        &self.life
    }

    pub(super) fn connected(&self, uid: &str, network: Arc<OwnedFd>) {
        let place = Place { network, ended: self.life.child_token() };
        self.lock().entry(uid.to_owned()).or_default().place = Some(place);
    }

    pub(super) fn started(&self, uid: &str, container: &str, running: Running) {
        let mut pods = self.lock();
        pods.entry(uid.to_owned()).or_default().containers.insert(container.to_owned(), running);
    }

    pub(super) fn ended(&self, uid: &str, container: &str) {
        if let Some(pod) = self.lock().get_mut(uid) {
            pod.containers.remove(container);
        }
    }

    /// The pod is over: whoever uses something of it has to let go.
    pub(super) fn remove(&self, uid: &str) {
        if let Some(place) = self.lock().remove(uid).and_then(|pod| pod.place) {
            place.ended.cancel();
        }
    }

    pub(crate) fn container(&self, uid: &str, container: &str) -> Option<Running> {
        self.lock().get(uid)?.containers.get(container).cloned()
    }

    pub(crate) fn place(&self, uid: &str) -> Option<Place> {
        self.lock().get(uid)?.place.clone()
    }
}
