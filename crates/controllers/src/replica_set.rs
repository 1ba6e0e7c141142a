//! Replica sets: as many pods as asked for.

mod build;
mod claim;
mod decide;

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, PostParams};
use kube::core::SelectorExt as _;

use crate::error::Verb;
use crate::events::{About, Told, tell};
use crate::facts::{Key, Object, Uid};
use crate::hub::{Hub, MANAGER, describe};
use crate::selector::is_readable;
use crate::world::World;
use crate::{Error, clock};
use decide::{Action, Failure, Member, Neighbours};

/// The component that events name.
const NAME: &str = "replicaset-controller";

pub(crate) async fn look(hub: &Hub, uid: Uid) -> Result<Option<Duration>, Error> {
    let Some(key) = hub.world(|world| Some(world.get(&uid)?.key.clone())) else { return Ok(None) };
    if !is_readable(hub, &about(&key, &uid), NAME).await {
        return Ok(None);
    }
    let claims = hub.world(|world| claim::claims(world, &uid));
    crate::claim::act::<ReplicaSet, Pod>(hub, &key, &uid, claims).await?;
    let Some((key, actions)) = hub.world(|world| begin(world, &uid)) else { return Ok(None) };
    let mut failed = Ok(());
    for action in actions {
        failed = act(hub, &key, &uid, action).await;
        if failed.is_err() {
            break;
        }
    }
    let wake_in = report(hub, &key, &uid, failed.as_ref().err()).await?;
    failed.map(|()| wake_in)
}

fn begin(world: &World, uid: &Uid) -> Option<(Key, Vec<Action>)> {
    let object = world.get(uid)?;
    let set = object.replica_set()?;
    let actions = if object.deleting {
        Vec::new()
    } else {
        let neighbours = || neighbours(world, object);
        decide::decide(set, &members(world, uid), neighbours, clock::now())
    };
    Some((object.key.clone(), actions))
}

/// Counts what all sets of the owner of a set select, whoever has it.
fn neighbours(world: &World, set: &Object) -> Neighbours {
    let owner = set.controller().map(|owner| &*owner.uid);
    let sets = owner.into_iter().flat_map(|owner| world.managed(owner));
    let pods = sets.filter_map(Object::replica_set).flat_map(|related| {
        let pods = world.pods_with(&set.key.namespace, &related.match_labels);
        let selects = |pod: &&Object| {
            let labels = pod.labels().zip(related.selector.as_ref().ok());
            labels.is_some_and(|(labels, selector)| selector.matches(labels))
        };
        pods.into_iter().filter(selects).filter(|pod| pod.is_active_pod())
    });
    let pods: BTreeMap<&Uid, &Object> = pods.map(|pod| (&pod.uid, pod)).collect();
    let mut neighbours = Neighbours::new();
    for node in pods.values().filter_map(|pod| pod.pod()?.node.clone()) {
        *neighbours.entry(node).or_default() += 1;
    }
    neighbours
}

fn members<'a>(world: &'a World, uid: &'a Uid) -> Vec<Member<'a>> {
    let active = world.managed(uid).filter(|object| object.is_active_pod());
    active
        .filter_map(|object| {
            Some(Member {
                uid: Uid::clone(&object.uid),
                name: &object.key.name,
                pod: object.pod()?,
            })
        })
        .collect()
}

async fn act(hub: &Hub, key: &Key, uid: &Uid, action: Action) -> Result<(), Error> {
    match action {
        Action::Create(count) => create(hub, key, uid, count).await,
        Action::Delete { uid: pod, name } => {
            hub.delete::<Pod>(
                &Key::new(key.namespace.clone(), &*name),
                &pod,
                DeleteParams::background(),
            )
            .await?;
            told(hub, key, uid, false, "SuccessfulDelete", format!("Deleted pod: {name}")).await;
            Ok(())
        }
    }
}

/// Creates pods in batches of growing size, so that what cannot be created is not tried a thousand times.
async fn create(hub: &Hub, key: &Key, uid: &Uid, count: usize) -> Result<(), Error> {
    let described = || describe::<ReplicaSet>(key);
    let set = hub.api::<ReplicaSet>(&key.namespace).get(&key.name).await;
    let set = set.map_err(|source| Error::request(Verb::Read, described(), source))?;
    if set.metadata.uid.as_deref() != Some(&**uid) || set.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    let Some(pod) = build::pod(&set) else {
        return Err(Error::Incomplete { object: described(), part: "pod template" });
    };
    let (mut left, mut batch) = (count, 1);
    while left > 0 {
        let size = left.min(batch);
        let created =
            futures::future::join_all((0..size).map(|_| create_one(hub, key, uid, &pod))).await;
        created.into_iter().collect::<Result<(), Error>>()?;
        left -= size;
        batch *= 2;
    }
    Ok(())
}

async fn create_one(hub: &Hub, key: &Key, uid: &Uid, pod: &Pod) -> Result<(), Error> {
    let parameters =
        PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    let created = hub.api::<Pod>(&key.namespace).create(&parameters, pod).await;
    let created = created.map_err(|source| {
        Error::request(Verb::Create, format!("a pod of ReplicaSet {key}"), source)
    })?;
    hub.answered(&created);
    told(
        hub,
        key,
        uid,
        false,
        "SuccessfulCreate",
        format!("Created pod: {}", created.metadata.name.unwrap_or_default()),
    )
    .await;
    Ok(())
}

/// Writes the status as the round left it. Answers when it changes without an event.
async fn report(
    hub: &Hub,
    key: &Key,
    uid: &Uid,
    error: Option<&Error>,
) -> Result<Option<Duration>, Error> {
    let failure = error.map(|error| Failure::new(error, &key.name));
    let found = hub.world(|world| {
        let set = world.get(uid)?.replica_set()?;
        let (status, wake_in) =
            decide::status(set, &members(world, uid), failure.as_ref(), clock::now());
        Some((set.status.clone(), status, wake_in))
    });
    let Some((old, new, wake_in)) = found else { return Ok(None) };
    if old != new {
        hub.write_status::<ReplicaSet, _>(key, uid, &old, &new)
            .await
            .or_else(|error| if error.is_gone() { Ok(()) } else { Err(error) })?;
        if let Some(failure) = failure.filter(|_| old.conditions != new.conditions) {
            told(
                hub,
                key,
                uid,
                true,
                failure.reason,
                format!("Error creating: {}", failure.message),
            )
            .await;
        }
    }
    Ok(wake_in.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs))
}

async fn told(hub: &Hub, key: &Key, uid: &Uid, warning: bool, reason: &str, message: String) {
    tell(hub, &about(key, uid), Told { by: NAME, warning, reason, message }).await;
}

fn about<'a>(key: &'a Key, uid: &'a Uid) -> About<'a> {
    About { api_version: "apps/v1", kind: "ReplicaSet", key, uid }
}

#[cfg(test)]
mod tests;
