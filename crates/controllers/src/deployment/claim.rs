//! Which replica sets belong to a Deployment.

use crate::claim::{self, Claim};
use crate::facts::Uid;
use crate::world::World;

pub(super) fn claims(world: &World, uid: &Uid) -> Vec<Claim> {
    let Some(object) = world.get(uid).filter(|object| !object.deleting) else { return Vec::new() };
    let Some(deployment) = object.deployment() else { return Vec::new() };
    let Ok(selector) = &deployment.selector else { return Vec::new() };
    let own = world.managed(uid).filter(|object| object.replica_set().is_some());
    let sets = world.sets_with(&object.key.namespace, &deployment.match_labels);
    claim::claims(selector, own, sets.into_iter().filter(|set| !set.deleting))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1 as apps;
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::{Facts, Key, Object};
    use crate::kinds::Kind;
    use crate::world::Wake;

    fn deployment(name: &str, selector: &Value, deleting: bool) -> Object {
        let whole: apps::Deployment = serde_json::from_value(json!({
            "metadata": {}, "spec": {"selector": selector, "template": {}},
        }))
        .expect("deployment");
        let facts = Facts::Deployment(Box::new((&whole).into()));
        Object { deleting, ..Object::bare(Kind::Deployment, Key::new("ns", name), facts) }
    }

    fn set(name: &str, app: &str, owner: Option<&str>) -> Object {
        let set: apps::ReplicaSet = serde_json::from_value(
            json!({"metadata": {"labels": {"app": app}}, "spec": {"selector": {}}}),
        )
        .expect("replica set");
        let facts = Facts::ReplicaSet(Box::new((&set).into()));
        let object = Object::bare(Kind::ReplicaSet, Key::new("ns", name), facts);
        match owner {
            Some(owner) => object.owned_by(("apps/v1", "Deployment"), owner),
            None => object,
        }
    }

    #[test]
    fn a_deployment_has_the_sets_that_it_selects_and_that_nobody_else_has() {
        let labels = json!({"matchLabels": {"app": "x"}});
        let expressions =
            json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["x"]}]});
        let strange = json!({"matchExpressions": [{"key": "app", "operator": "Near"}]});
        for (selector, deleting, expected) in [
            (&labels, false, &["adopt free", "release changed"][..]),
            (&expressions, false, &["adopt free", "release changed"][..]),
            (&labels, true, &[][..]),
            (&strange, false, &[][..]),
        ] {
            let mut world = World::default();
            world.watched(deployment("d", selector, deleting));
            world.watched(set("free", "x", None));
            world.watched(set("other label", "y", None));
            world.watched(set("of another", "x", Some("other")));
            world.watched(Object { deleting: true, ..set("free and going", "x", None) });
            world.watched(set("own", "x", Some("d")));
            world.watched(set("changed", "y", Some("d")));
            let claims = claims(&world, &"d".into());
            let told = claims.iter().map(|claim| match claim {
                Claim::Adopt { name, .. } => format!("adopt {name}"),
                Claim::Release { name, .. } => format!("release {name}"),
            });
            let mut told: Vec<String> = told.collect();
            told.sort_unstable();
            assert_eq!(told, expected, "{selector} {deleting}");
        }
    }

    #[test]
    fn a_set_that_nobody_has_wakes_the_deployments_that_may_want_it() {
        let mut world = World::default();
        world.watched(deployment("d", &json!({"matchLabels": {"app": "x"}}), false));
        world.watched(deployment("e", &json!({"matchLabels": {"app": "y"}}), false));
        let wake = |name: &str| Wake::Deployment(name.into());
        let mut woken = |set: Object| {
            let mut wakes = world.watched(set);
            wakes.retain(|wake| matches!(wake, Wake::Deployment(_)));
            wakes
        };
        assert_eq!(woken(set("r", "x", None)), [wake("d")]);
        assert_eq!(woken(Object { version: 2, ..set("r", "x", None) }), [], "nothing new");
        assert_eq!(woken(Object { version: 3, ..set("r", "y", None) }), [wake("e")]);
        let owned = Object { version: 4, ..set("r", "y", Some("e")) };
        assert_eq!(woken(owned), [wake("e")]);
        let left = Object { version: 5, ..set("r", "x", None) };
        assert_eq!(woken(left), [wake("e"), wake("d")], "who had it, and who may want it");
    }
}
