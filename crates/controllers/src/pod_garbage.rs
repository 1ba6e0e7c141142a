//! Pods that no kubelet will ever look after: bound to a node that does not exist, or being deleted before they had one.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, DeleteParams};

use crate::Error;
use crate::error::Verb;
use crate::facts::{Key, Uid};
use crate::hub::Hub;
use crate::kinds::Kind;
use tokio::time::Instant;

/// A node may be about to register again; the real collector waits as long.
const QUARANTINE: Duration = Duration::from_secs(40);

enum Task {
    /// The node is missing since then.
    Wait(Duration),
    Delete(Key),
    DeleteIfMissing(Key, String),
}

pub(crate) async fn look(hub: &Hub, uid: Uid) -> Result<Option<Duration>, Error> {
    let now = Instant::now();
    let task = hub.world(|world| {
        let object = world.get(&uid)?;
        let pod = object.pod()?;
        let Some(node) = &pod.node else {
            return object.deleting.then(|| Task::Delete(object.key.clone()));
        };
        let (node, key) = (node.clone(), object.key.clone());
        if world.named(Kind::Node, &Key::new("", node.as_str())).is_some() {
            world.node_found(&node);
            return None;
        }
        let missing = now.duration_since(world.node_missing(&node, now));
        Some(if missing < QUARANTINE {
            Task::Wait(QUARANTINE.saturating_sub(missing))
        } else {
            Task::DeleteIfMissing(key, node)
        })
    });
    match task {
        None => Ok(None),
        Some(Task::Wait(rest)) => Ok(Some(rest)),
        Some(Task::Delete(key)) => delete(hub, &key, &uid).await,
        Some(Task::DeleteIfMissing(key, node)) => {
            let found = Api::<Node>::all(hub.client.clone()).get_opt(&node).await;
            let found = found
                .map_err(|source| Error::request(Verb::Read, format!("Node {node}"), source))?;
            if found.is_some() { Ok(None) } else { delete(hub, &key, &uid).await }
        }
    }
}

async fn delete(hub: &Hub, key: &Key, uid: &Uid) -> Result<Option<Duration>, Error> {
    hub.delete::<Pod>(key, uid, DeleteParams::default().grace_period(0)).await?;
    Ok(None)
}
