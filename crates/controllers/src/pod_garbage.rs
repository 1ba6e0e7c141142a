//! Pods that no kubelet will ever look after: bound to a node that does not exist, or being deleted before they had one.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, DeleteParams};

use crate::Error;
use crate::error::Verb;
use crate::facts::{Key, Uid};
use crate::hub::Hub;
use crate::kinds::Kind;
use crate::world::World;
use tokio::time::Instant;

/// A node may be about to register again; the real collector waits as long.
const QUARANTINE: Duration = Duration::from_secs(40);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Task {
    /// The node may come back within this time.
    Wait(Duration),
    Delete(Key),
    /// The node is missing by the watches; the API server has the last word.
    DeleteIfMissing(Key, String),
}

pub(crate) async fn look(hub: &Hub, uid: Uid) -> Result<Option<Duration>, Error> {
    let task = hub.world(|world| decide(world, &uid, Instant::now()));
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

/// What becomes of a pod; the world remembers since when its node is missing.
fn decide(world: &mut World, uid: &Uid, now: Instant) -> Option<Task> {
    let object = world.get(uid)?;
    let pod = object.pod()?;
    let key = object.key.clone();
    let Some(node) = pod.node.clone() else {
        return object.deleting.then_some(Task::Delete(key));
    };
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
}

async fn delete(hub: &Hub, key: &Key, uid: &Uid) -> Result<Option<Duration>, Error> {
    hub.delete::<Pod>(key, uid, DeleteParams::default().grace_period(0)).await?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Object};
    use serde_json::json;

    fn object(kind: Kind, name: &str, version: u64, facts: Facts) -> Object {
        let namespace = if kind == Kind::Node { "" } else { "ns" };
        Object { version, ..Object::bare(kind, Key::new(namespace, name), facts) }
    }

    fn pod(node: Option<&str>) -> Object {
        let pod: Pod = serde_json::from_value(
            json!({"metadata": {}, "spec": {"nodeName": node, "containers": []}}),
        )
        .expect("pod");
        object(Kind::Pod, "p", 1, Facts::Pod(Box::new((&pod).into())))
    }

    #[test]
    fn a_pod_outlives_its_node_for_a_while_and_is_safe_when_the_node_comes_back() {
        let mut world = World::default();
        world.watched(pod(Some("n")));
        let uid = Uid::from("p");
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(decide(&mut world, &uid, start), Some(Task::Wait(QUARANTINE)));
        assert_eq!(decide(&mut world, &uid, after(30)), Some(Task::Wait(Duration::from_secs(10))));
        let delete = Task::DeleteIfMissing(Key::new("ns", "p"), "n".to_owned());
        assert_eq!(decide(&mut world, &uid, after(40)), Some(delete));
        let node = object(Kind::Node, "n", 2, Facts::Node(Box::default()));
        world.watched(node.clone());
        assert_eq!(decide(&mut world, &uid, after(41)), None);
        world.removed(Kind::Node, "n", 3);
        assert_eq!(
            decide(&mut world, &uid, after(100)),
            Some(Task::Wait(QUARANTINE)),
            "counted anew"
        );
    }

    #[test]
    fn a_pod_that_never_had_a_node_goes_as_soon_as_it_is_deleted() {
        let mut world = World::default();
        let uid = Uid::from("p");
        world.watched(pod(None));
        assert_eq!(decide(&mut world, &uid, Instant::now()), None);
        world.watched(Object { deleting: true, version: 2, ..pod(None) });
        assert_eq!(
            decide(&mut world, &uid, Instant::now()),
            Some(Task::Delete(Key::new("ns", "p")))
        );
    }
}
