//! Objects whose label selector cannot be read. Nobody knows then which pods are theirs: they are left as they are, and that is said
//! once.

use crate::events::{About, Told, tell};
use crate::facts::Uid;
use crate::hub::Hub;
use crate::world::World;

/// Whether it is known which pods an object has. `by` is who says that it is not.
pub(crate) async fn is_readable(hub: &Hub, about: &About<'_>, by: &'static str) -> bool {
    let Some((why, is_new)) = hub.world(|world| refusal(world, about.uid)) else { return true };
    if is_new {
        tracing::warn!(kind = about.kind, object = %about.key, why, "a label selector cannot be read");
        let message = format!("The label selector cannot be read, so nothing is changed: {why}");
        tell(hub, about, Told { by, warning: true, reason: "InvalidSelector", message }).await;
    }
    false
}

/// Why a selector cannot be read, and whether that has not been said yet.
fn refusal(world: &mut World, uid: &str) -> Option<(String, bool)> {
    let why = world.get(uid)?.unreadable().cloned();
    let Some(why) = why else {
        world.unreadable.remove(uid);
        return None;
    };
    Some((why, world.unreadable.insert(Uid::from(uid))))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    use crate::facts::{Facts, Key, Object};
    use crate::kinds::Kind;
    use crate::wire::Wire;
    use crate::{deployment, replica_set};

    fn object(kind: Kind, name: &str, facts: Facts) -> Object {
        Object::bare(kind, Key::new("ns", name), facts)
    }

    fn spec() -> Value {
        let strange = json!({"matchExpressions": [{"key": "app", "operator": "Near"}]});
        json!({"metadata": {}, "spec": {"replicas": 3, "selector": strange, "template": {}}})
    }

    fn owned(name: &str, owner: &str) -> Object {
        let pod: Pod = serde_json::from_value(json!({"spec": {"containers": []}})).expect("pod");
        let pod = object(Kind::Pod, name, Facts::Pod(Box::new((&pod).into())));
        pod.owned_by(("apps/v1", "ReplicaSet"), owner)
    }

    #[tokio::test]
    async fn who_cannot_be_read_is_left_alone_and_that_is_said_once() {
        let set: ReplicaSet = serde_json::from_value(spec()).expect("replica set");
        let all: Deployment = serde_json::from_value(spec()).expect("deployment");
        let wire = Wire::default();
        let hub = wire.hub(|_| Some((201, json!({"metadata": {}, "involvedObject": {}}))));
        hub.watched(object(Kind::ReplicaSet, "set", Facts::ReplicaSet(Box::new((&set).into()))));
        hub.watched(object(Kind::Deployment, "all", Facts::Deployment(Box::new((&all).into()))));
        hub.watched(owned("pod", "set"));
        for _ in 0..2 {
            assert_eq!(replica_set::look(&hub, "set".into()).await.expect("look"), None);
            assert_eq!(deployment::look(&hub, "all".into()).await.expect("look"), None);
        }
        let event = "POST /api/v1/namespaces/ns/events";
        assert_eq!(wire.asked(), [event, event]);
    }
}
