//! Which pods belong to a replica set.

use crate::claim::{self, Claim};
use crate::facts::Uid;
use crate::world::World;

pub(super) fn claims(world: &World, uid: &Uid) -> Vec<Claim> {
    let Some(object) = world.get(uid).filter(|object| !object.deleting) else { return Vec::new() };
    let Some(set) = object.replica_set() else { return Vec::new() };
    let Ok(selector) = &set.selector else { return Vec::new() };
    let own = world.managed(uid).filter(|object| object.is_active_pod());
    let pods = world.pods_with(&object.key.namespace, &set.match_labels);
    claim::claims(selector, own, pods.into_iter().filter(|pod| pod.is_active_pod()))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::ReplicaSet;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::{Facts, Key, Object};
    use crate::kinds::Kind;

    fn object(kind: Kind, name: &str, deleting: bool, facts: Facts) -> Object {
        Object { deleting, ..Object::bare(kind, Key::new("ns", name), facts) }
    }

    fn world(selector: &Value, deleting: bool) -> World {
        let mut world = World::default();
        let set: ReplicaSet = serde_json::from_value(
            json!({"metadata": {}, "spec": {"replicas": 1, "selector": selector}}),
        )
        .expect("replica set");
        let facts = Facts::ReplicaSet(Box::new((&set).into()));
        world.watched(object(Kind::ReplicaSet, "set", deleting, facts));
        world
    }

    fn see(world: &mut World, name: &str, app: &str, owner: Option<&str>, deleting: bool) {
        let pod: Pod = serde_json::from_value(
            json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": []}}),
        )
        .expect("pod");
        let object = object(Kind::Pod, name, deleting, Facts::Pod(Box::new((&pod).into())));
        world.watched(match owner {
            Some(owner) => object.owned_by(("apps/v1", "ReplicaSet"), owner),
            None => object,
        });
    }

    #[test]
    fn a_set_has_the_pods_that_it_selects_and_that_nobody_else_has() {
        let labels = json!({"matchLabels": {"app": "x"}});
        let expressions =
            json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["x"]}]});
        let strange = json!({"matchExpressions": [{"key": "app", "operator": "Near"}]});
        let none: [(&str, &str); 0] = [];
        for (selector, deleting, expected) in [
            (&labels, false, &[("adopt", "free"), ("release", "changed")][..]),
            (&expressions, false, &[("adopt", "free"), ("release", "changed")][..]),
            (&labels, true, &none[..]),
            (&strange, false, &none[..]),
        ] {
            let mut world = world(selector, deleting);
            see(&mut world, "free", "x", None, false);
            see(&mut world, "other label", "y", None, false);
            see(&mut world, "of another", "x", Some("other"), false);
            see(&mut world, "free and going", "x", None, true);
            see(&mut world, "own", "x", Some("set"), false);
            see(&mut world, "changed", "y", Some("set"), false);
            see(&mut world, "changed and going", "y", Some("set"), true);
            let claims = claims(&world, &"set".into());
            let mut told: Vec<(&str, &str)> = claims
                .iter()
                .map(|claim| match claim {
                    Claim::Adopt { name, .. } => ("adopt", name.as_str()),
                    Claim::Release { name, .. } => ("release", name.as_str()),
                })
                .collect();
            told.sort_unstable();
            assert_eq!(told, expected, "{selector} {deleting}");
        }
    }
}
