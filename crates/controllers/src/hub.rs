//! What the loops share: the client, the world and the queues. The lock is held for looks and changes only, never over a request.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, DeleteParams, Patch, PatchParams, Preconditions};
use kube::core::ApiResource;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::error::Verb;
use crate::facts::{Key, Object, Uid};
use crate::kinds::{Kind, Kinds};
use crate::queue::Queue;
use crate::reduce::Reduce;
use crate::world::{Wake, World};
use crate::{Error, Settings, quota};

#[derive(Debug)]
pub(crate) struct Queues {
    pub(crate) deployments: Queue<Uid>,
    pub(crate) replica_sets: Queue<Uid>,
    pub(crate) garbage: Queue<Uid>,
    pub(crate) services: Queue<Key>,
    pub(crate) quotas: Queue<String>,
    pub(crate) namespaces: Queue<String>,
    pub(crate) service_accounts: Queue<String>,
    pub(crate) pod_garbage: Queue<Uid>,
    pub(crate) scheduler: Queue<Uid>,
    pub(crate) room: Queue<()>,
    pub(crate) nodes: Queue<String>,
    pub(crate) evictions: Queue<Uid>,
}

/// An object of a namespace that the controllers change and delete.
pub(crate) trait Changed:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Reduce
    + Clone
    + DeserializeOwned
    + std::fmt::Debug
{
}

impl<K> Changed for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Reduce
        + Clone
        + DeserializeOwned
        + std::fmt::Debug
{
}

pub(crate) struct Hub {
    pub(crate) client: Client,
    pub(crate) kinds: Kinds,
    pub(crate) settings: Settings,
    /// The other controllers are somebody else's: what they would look at is dropped, as nobody empties their queues here.
    scheduler_only: bool,
    pub(crate) queues: Queues,
    world: Mutex<World>,
}

impl Hub {
    pub(crate) fn new(client: Client, kinds: Kinds, settings: Settings) -> Self {
        let queues = Queues {
            deployments: Queue::new(),
            replica_sets: Queue::new(),
            garbage: Queue::new(),
            services: Queue::new(),
            quotas: Queue::new(),
            namespaces: Queue::new(),
            service_accounts: Queue::new(),
            pod_garbage: Queue::new(),
            scheduler: Queue::new(),
            room: Queue::new(),
            nodes: Queue::new(),
            evictions: Queue::new(),
        };
        let world = Mutex::default();
        Self { client, kinds, settings, scheduler_only: false, queues, world }
    }

    /// One for the scheduler alone.
    pub(crate) fn of_scheduler(client: Client, kinds: Kinds) -> Self {
        Self { scheduler_only: true, ..Self::new(client, kinds, Settings::default()) }
    }

    /// The kinds whose objects somebody here looks at.
    pub(crate) fn followed(&self) -> impl Iterator<Item = (Kind, &ApiResource)> {
        let all = !self.scheduler_only;
        self.kinds.watched().filter(move |(kind, _)| all || kind.matters_to_scheduler())
    }

    /// Looks at the world, or changes it.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what a watch brought.
    pub(crate) fn watched(&self, object: Object) {
        let wakes = self.world(|world| world.watched(object));
        self.wake(wakes);
    }

    pub(crate) fn removed(&self, object: &Object) {
        let wakes = self.world(|world| world.removed(object.kind, &object.uid, object.version));
        self.wake(wakes);
    }

    /// The binding of a pod failed.
    pub(crate) fn unbound(&self, pod: &Uid) {
        let wakes = self.world(|world| world.unbound(pod));
        self.wake(wakes);
    }

    pub(crate) fn retain(&self, kind: Kind, listed: &HashSet<Uid>) {
        let wakes = self.world(|world| world.retain(kind, listed));
        self.wake(wakes);
    }

    /// Takes the answer to an own write.
    pub(crate) fn answered<K: Reduce>(&self, object: &K) {
        if let Some(object) = Object::new(K::KIND, object.meta(), object.facts()) {
            let wakes = self.world(|world| world.answered(object));
            self.wake(wakes);
        }
    }

    fn wake(&self, wakes: Vec<Wake>) {
        for wake in wakes {
            if self.scheduler_only && !matches!(wake, Wake::Schedule(_) | Wake::Room) {
                continue;
            }
            match wake {
                Wake::Deployment(uid) => self.queues.deployments.push(uid),
                Wake::ReplicaSet(uid) => self.queues.replica_sets.push(uid),
                Wake::Garbage(uid) => self.queues.garbage.push(uid),
                Wake::Service(key) => self.queues.services.push(key),
                Wake::Quotas(namespace) => self.queues.quotas.push(namespace),
                Wake::GivenBack(namespace, kind) => quota::given_back(self, namespace, kind),
                Wake::Namespace(name) => self.queues.namespaces.push(name),
                Wake::ServiceAccount(namespace) => self.queues.service_accounts.push(namespace),
                Wake::PodGarbage(uid) => self.queues.pod_garbage.push(uid),
                Wake::Schedule(uid) => self.queues.scheduler.push(uid),
                Wake::Room => self.queues.room.push(()),
                Wake::Node(name) => self.queues.nodes.push(name),
                Wake::Evict(uid) => self.queues.evictions.push(uid),
            }
        }
    }

    pub(crate) fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Changes an object by a merge patch, which the world knows of afterwards.
    pub(crate) async fn change<K: Changed>(&self, key: &Key, body: &Value) -> Result<(), Error> {
        let changed =
            self.api::<K>(&key.namespace).patch(&key.name, &manager(), &Patch::Merge(body)).await;
        self.answered(
            &changed.map_err(|source| Error::request(Verb::Change, describe::<K>(key), source))?,
        );
        Ok(())
    }

    /// Replaces the status of an object, if it still is the one of this uid.
    pub(crate) async fn write_status<K: Changed, S: Serialize>(
        &self,
        key: &Key,
        uid: &Uid,
        old: &S,
        new: &S,
    ) -> Result<(), Error> {
        let body = json!({"metadata": {"uid": &**uid}, "status": replacement(old, new)});
        let changed = self
            .api::<K>(&key.namespace)
            .patch_status(&key.name, &manager(), &Patch::Merge(body))
            .await;
        self.answered(
            &changed.map_err(|source| Error::request(Verb::Change, describe::<K>(key), source))?,
        );
        Ok(())
    }

    /// Deletes the object of this uid; it is fine if it is gone.
    pub(crate) async fn delete<K: Changed>(
        &self,
        key: &Key,
        uid: &Uid,
        options: DeleteParams,
    ) -> Result<(), Error> {
        let options = options
            .preconditions(Preconditions { uid: Some(uid.to_string()), resource_version: None });
        match self.api::<K>(&key.namespace).delete(&key.name, &options).await {
            Ok(answer) => {
                if let Some(object) = answer.left() {
                    self.answered(&object);
                }
                Ok(())
            }
            // Another object of that name, or none.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            Err(source) => Err(Error::request(Verb::Delete, describe::<K>(key), source)),
        }
    }
}

pub(crate) fn describe<K: Resource<DynamicType = ()>>(key: &Key) -> String {
    format!("{} {key}", K::kind(&()))
}

/// Who writes, as the objects' managed fields show it.
pub(crate) const MANAGER: &str = "flumen-controllers";

pub(crate) fn manager() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}

/// The merge patch that turns `old` into `new`: parts that `new` lacks are removed.
fn replacement<S: Serialize>(old: &S, new: &S) -> Value {
    let parts = |value: &S| match serde_json::to_value(value) {
        Ok(Value::Object(parts)) => parts,
        _ => Map::new(),
    };
    let mut patch = parts(new);
    for (name, _) in parts(old) {
        patch.entry(name).or_insert(Value::Null);
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1 as core;
    use k8s_openapi::api::storage::v1::StorageClass;
    use kube::discovery::{ApiCapabilities, Scope};

    use super::*;
    use crate::facts::Facts;
    use crate::wire::Wire;

    #[test]
    fn a_status_patch_removes_what_the_new_status_lacks() {
        let patch =
            replacement(&json!({"replicas": 2, "readyReplicas": 1}), &json!({"replicas": 3}));
        assert_eq!(patch, json!({"replicas": 3, "readyReplicas": null}));
    }

    fn kinds() -> Kinds {
        let can = |resource| {
            let operations = ["list", "watch", "delete"].map(str::to_owned).to_vec();
            let subresources = Vec::new();
            (resource, ApiCapabilities { scope: Scope::Namespaced, subresources, operations })
        };
        let all = [
            ApiResource::erase::<core::Pod>(&()),
            ApiResource::erase::<core::Secret>(&()),
            ApiResource::erase::<core::Node>(&()),
            ApiResource::erase::<core::Namespace>(&()),
            ApiResource::erase::<core::PersistentVolumeClaim>(&()),
            ApiResource::erase::<StorageClass>(&()),
        ];
        Kinds::new(all.into_iter().map(can))
    }

    fn pod(name: &str, version: u64, spec: &Value) -> Object {
        let pod: core::Pod =
            serde_json::from_value(json!({"metadata": {}, "spec": spec})).expect("pod");
        let object = Object::bare(Kind::Pod, Key::new("ns", name), pod.facts());
        Object { version, ..object.owned_by(("batch/v1", "Job"), "job") }
    }

    /// How much waits for the scheduler, and for the others, when a pod came and another one went.
    fn woken(hub: &Hub) -> (usize, usize) {
        let quota = Facts::Quota { spec: None, hard: std::collections::BTreeMap::new() };
        hub.watched(Object::bare(Kind::Quota, Key::new("ns", "q"), quota));
        hub.watched(pod("new", 1, &json!({"containers": []})));
        let old = pod("old", 2, &json!({"containers": [], "nodeName": "gone"}));
        hub.watched(old.clone());
        hub.removed(&old);
        let queues = &hub.queues;
        let others = [queues.garbage.drain(), queues.pod_garbage.drain()];
        let others = others.map(|queue| queue.len()).into_iter().sum::<usize>();
        (queues.scheduler.drain().len(), others + queues.quotas.drain().len())
    }

    #[tokio::test]
    async fn a_scheduler_alone_keeps_nothing_for_controllers_that_are_not_there() {
        let client = || Wire::default().client(|_| None);
        let whole = Hub::new(client(), kinds(), Settings::default());
        let alone = Hub::of_scheduler(client(), kinds());
        assert_eq!(woken(&whole), (1, 4), "two with an owner, one without its node, a quota");
        assert_eq!(woken(&alone), (1, 0));
        let followed: Vec<Kind> = alone.followed().map(|(kind, _)| kind).collect();
        assert_eq!(followed, [Kind::Pod, Kind::Node, Kind::Claim, Kind::StorageClass]);
        assert_eq!(whole.followed().count(), 6);
    }
}
