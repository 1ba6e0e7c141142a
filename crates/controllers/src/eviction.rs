//! Pods that the taints of their node drive away, at once or when they have borne them long enough.

mod decide;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch};
use serde_json::json;
use tokio::time::Instant;

use crate::error::Verb;
use crate::events::{About, Told, tell};
use crate::facts::{Key, Toleration, Uid};
use crate::hub::{Hub, describe, manager};
use crate::world::World;
use crate::{Error, clock};
use decide::{Fate, decide};

/// The component that pods' events name.
const NAME: &str = "taint-eviction-controller";
const REASON: &str = "TaintManagerEviction";

pub(crate) async fn look(hub: &Hub, uid: Uid) -> Result<Option<Duration>, Error> {
    let key = match hub.world(|world| stand(world, &uid)) {
        Standing::Gone => return Ok(None),
        Standing::Free(was_going) => {
            if was_going {
                spared(hub, &uid).await;
            }
            return Ok(None);
        }
        Standing::Tainted(key) => key,
    };
    // Tolerations of all pods would be remembered for the few that are looked at.
    let found = hub.api::<Pod>(&key.namespace).get_opt(&key.name).await;
    let found =
        found.map_err(|source| Error::request(Verb::Read, describe::<Pod>(&key), source))?;
    let Some(pod) = found.filter(|pod| pod.metadata.uid.as_deref() == Some(&*uid)) else {
        return Ok(None);
    };
    let tolerations = pod.spec.iter().flat_map(|spec| spec.tolerations.iter().flatten());
    let tolerations: Vec<Toleration> = tolerations.map(Toleration::from).collect();
    match hub.world(|world| judge(world, &uid, &tolerations, Instant::now())) {
        Fate::Stays => Ok(None),
        Fate::Spared => {
            spared(hub, &uid).await;
            Ok(None)
        }
        Fate::Waits(rest) => Ok(Some(rest)),
        Fate::Goes => evict(hub, &key, &uid).await.map(|()| None),
    }
}

/// Where a pod is.
enum Standing {
    /// It is gone, or on its way and needs no push.
    Gone,
    /// No taint drives it away any more; whether one did.
    Free(bool),
    /// On a node with taints that drive pods away.
    Tainted(Key),
}

fn stand(world: &mut World, uid: &Uid) -> Standing {
    let Some(object) = world.get(uid).filter(|object| !object.deleting) else {
        return Standing::Gone;
    };
    let node = object.pod().and_then(|pod| world.node(pod.node.as_ref()?));
    if node.is_some_and(|node| node.evicts().next().is_some()) {
        return Standing::Tainted(object.key.clone());
    }
    Standing::Free(world.evictions.remove(uid).is_some())
}

/// Decides, and remembers since when the pod bears its node.
fn judge(world: &mut World, uid: &Uid, tolerations: &[Toleration], now: Instant) -> Fate {
    let node = world.get(uid).and_then(|object| object.pod()?.node.clone());
    let taints: Vec<_> = node
        .and_then(|node| world.node(&node))
        .map(|node| node.evicts().cloned().collect())
        .unwrap_or_default();
    let since = world.evictions.get(uid).copied();
    let fate = decide(&taints, tolerations, since.map(|since| now.duration_since(since)));
    match fate {
        Fate::Waits(_) => {
            world.evictions.entry(Uid::clone(uid)).or_insert(now);
        }
        Fate::Stays | Fate::Spared => {
            world.evictions.remove(uid);
        }
        // Remembered until it is gone: the request may fail and be repeated.
        Fate::Goes => {}
    }
    fate
}

async fn evict(hub: &Hub, key: &Key, uid: &Uid) -> Result<(), Error> {
    told(hub, key, uid, format!("Marking for deletion Pod {key}")).await;
    let body = json!({
        "metadata": {"uid": &**uid},
        "status": {"conditions": [{
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": clock::stamp(clock::now()),
        }]},
    });
    let api = hub.api::<Pod>(&key.namespace);
    match api.patch_status(&key.name, &manager(), &Patch::Strategic(body)).await {
        Ok(pod) => hub.answered(&pod),
        // It is gone, or another one of that name has come.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 422) => return Ok(()),
        Err(source) => return Err(Error::request(Verb::Change, describe::<Pod>(key), source)),
    }
    hub.delete::<Pod>(key, uid, DeleteParams::default()).await
}

async fn spared(hub: &Hub, uid: &Uid) {
    let key = hub.world(|world| Some(world.get(uid)?.key.clone()));
    if let Some(key) = key {
        told(hub, &key, uid, format!("Cancelling deletion of Pod {key}")).await;
    }
}

async fn told(hub: &Hub, key: &Key, uid: &Uid, message: String) {
    let about = About { api_version: "v1", kind: "Pod", key, uid };
    tell(hub, &about, Told { by: NAME, warning: false, reason: REASON, message }).await;
}
