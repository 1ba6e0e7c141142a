//! Which pods belong to a replica set: those that it made, as long as they have the labels that it selects, and those that
//! nobody manages and that have them.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Patch;
use kube::core::SelectorExt as _;
use serde_json::{Value, json};

use crate::Error;
use crate::error::Verb;
use crate::facts::{Key, Uid};
use crate::hub::{Hub, describe, manager};
use crate::world::World;

/// A pod that comes to a replica set or leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    Adopt { uid: Uid, name: String },
    Release { uid: Uid, name: String },
}

pub(super) fn claims(world: &World, uid: &Uid) -> Vec<Claim> {
    let Some(object) = world.get(uid).filter(|object| !object.deleting) else { return Vec::new() };
    let Some(set) = object.replica_set() else { return Vec::new() };
    let Ok(selector) = &set.selector else { return Vec::new() };
    let has_labels =
        |pod: &crate::facts::Object| pod.pod().is_some_and(|pod| selector.matches(&pod.labels));
    let left = world.managed(uid).filter(|pod| pod.is_active_pod() && !has_labels(pod));
    let left =
        left.map(|pod| Claim::Release { uid: Uid::clone(&pod.uid), name: pod.key.name.clone() });
    let free = world.pods_with(&object.key.namespace, &set.match_labels);
    let free = free
        .into_iter()
        .filter(|pod| pod.is_active_pod() && pod.controller().is_none() && has_labels(pod));
    let free =
        free.map(|pod| Claim::Adopt { uid: Uid::clone(&pod.uid), name: pod.key.name.clone() });
    left.chain(free).collect()
}

pub(super) async fn act(hub: &Hub, set: &Key, uid: &Uid, claims: Vec<Claim>) -> Result<(), Error> {
    let adopts = claims.iter().any(|claim| matches!(claim, Claim::Adopt { .. }));
    // A watch may be behind: a set that is gone must get no pods.
    let is_there = !adopts || is_there(hub, set, uid).await?;
    for claim in claims {
        match claim {
            Claim::Adopt { uid: pod, name } if is_there => {
                let owner = json!({
                    "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set.name, "uid": &**uid,
                    "controller": true, "blockOwnerDeletion": true
                });
                change(hub, &Key::new(&*set.namespace, name), &pod, owner).await?;
            }
            Claim::Adopt { .. } => {}
            Claim::Release { uid: pod, name } => {
                let owner = json!({"$patch": "delete", "uid": &**uid});
                change(hub, &Key::new(&*set.namespace, name), &pod, owner).await?;
            }
        }
    }
    Ok(())
}

async fn is_there(hub: &Hub, key: &Key, uid: &Uid) -> Result<bool, Error> {
    let found = hub.api::<ReplicaSet>(&key.namespace).get_opt(&key.name).await;
    let found = found
        .map_err(|source| Error::request(Verb::Read, describe::<ReplicaSet>(key), source))?
        .map(|set| set.metadata);
    Ok(found.is_some_and(|found| {
        found.uid.as_deref() == Some(&**uid) && found.deletion_timestamp.is_none()
    }))
}

async fn change(hub: &Hub, pod: &Key, uid: &Uid, owner: Value) -> Result<(), Error> {
    let body = json!({"metadata": {"uid": &**uid, "ownerReferences": [owner]}});
    let api = hub.api::<Pod>(&pod.namespace);
    match api.patch(&pod.name, &manager(), &Patch::Strategic(body)).await {
        Ok(changed) => hub.answered(&changed),
        // It is gone, or another one of that name has come.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 422) => {}
        Err(source) => return Err(Error::request(Verb::Change, describe::<Pod>(pod), source)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Object, Owner};
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
        let owners = owner.map(|uid| Owner {
            uid: uid.into(),
            api_version: "apps/v1".to_owned(),
            kind: "ReplicaSet".to_owned(),
            name: uid.to_owned(),
            controller: true,
            blocking: true,
        });
        let object = object(Kind::Pod, name, deleting, Facts::Pod(Box::new((&pod).into())));
        world.watched(Object { owners: owners.into_iter().collect(), ..object });
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
