//! Garbage: objects go with their owners, and owners that are deleted in the foreground wait for them.

mod decide;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DeleteParams, ListParams, Patch, Preconditions};
use serde_json::{Value, json};

use crate::Error;
use crate::error::Verb;
use crate::facts::{Key, Object, Owner, Uid};
use crate::hub::{Hub, manager};
use crate::kinds::Kind;
use crate::reduce::Bare;
use crate::world::World;
use decide::{Action, DependentView, OwnerState, OwnerView, Policy, View};

/// The watches are a moment behind at most.
const AGAIN: Duration = Duration::from_millis(20);

pub(crate) async fn look(hub: &Hub, uid: Uid) -> Result<Option<Duration>, Error> {
    let Some((object, mut view)) =
        hub.world(|world| Some((world.get(&uid)?.clone(), begin(world, &uid)?)))
    else {
        return Ok(None);
    };
    if !object.deleting {
        for (owner, known) in object.owners.iter().zip(&mut view.owners) {
            if known.state == OwnerState::Absent && !is_absent(hub, &object, owner).await? {
                known.state = OwnerState::There;
            }
        }
    }
    let actions = decide::decide(&view);
    let ends = actions.iter().any(|action| matches!(action, Action::RemoveFinalizer(_)));
    if ends && has_unseen_dependents(hub, &object, &view.dependents).await? {
        return Ok(Some(AGAIN));
    }
    for action in actions {
        act(hub, &object, action).await?;
    }
    Ok(None)
}

/// The view by what the watches have brought; owners that they have not brought count as absent until the API server is asked.
fn begin(world: &World, uid: &Uid) -> Option<View> {
    let object = world.get(uid)?;
    let owners = object.owners.iter().map(|owner| OwnerView {
        uid: Uid::clone(&owner.uid),
        state: state(world, object, owner),
        blocking: owner.blocking,
    });
    let dependents = world.dependents(uid).map(|dependent| DependentView {
        uid: Uid::clone(&dependent.uid),
        deleting: dependent.deleting,
        blocking: dependent.owners.iter().any(|owner| owner.uid == *uid && owner.blocking),
    });
    Some(View {
        deleting: object.deleting,
        foreground: object.foreground,
        orphan: object.orphan,
        owners: owners.collect(),
        dependents: dependents.collect(),
    })
}

fn state(world: &World, object: &Object, owner: &Owner) -> OwnerState {
    let known = world.get(&owner.uid).filter(|known| {
        // A reference across namespaces means an object that does not exist, whatever has that uid elsewhere.
        known.key.name == owner.name
            && (known.key.namespace.is_empty() || known.key.namespace == object.key.namespace)
    });
    match known {
        None => OwnerState::Absent,
        Some(known) if known.deleting && known.foreground => OwnerState::Waiting,
        Some(known) if known.deleting && known.orphan => OwnerState::Leaving,
        Some(_) => OwnerState::There,
    }
}

/// Asks the API server, because a watch may be behind: what was created a moment ago must not cost its dependents their lives.
async fn is_absent(hub: &Hub, object: &Object, owner: &Owner) -> Result<bool, Error> {
    let Some(kind) = hub.kinds.of_reference(&owner.api_version, &owner.kind) else {
        return Ok(false);
    };
    let Some((_, namespaced)) = hub.kinds.resource(kind) else { return Ok(false) };
    if namespaced && object.key.namespace.is_empty() {
        return Ok(false);
    }
    let key =
        Key::new(if namespaced { object.key.namespace.as_str() } else { "" }, owner.name.as_str());
    let found = read(hub, kind, &key).await?;
    Ok(found.and_then(|found| found.uid).as_deref() != Some(&*owner.uid))
}

/// Asks the API server, because the watches of other kinds may be behind: an owner must not end before dependents that it waits for,
/// nor leave some that it should free. What counts as seen is what the decision was made by, and not what has come since.
async fn has_unseen_dependents(
    hub: &Hub,
    owner: &Object,
    seen: &[DependentView],
) -> Result<bool, Error> {
    for (kind, resource) in hub.kinds.watched() {
        let api: Api<Bare> = if owner.key.namespace.is_empty() {
            Api::all_with(hub.client.clone(), resource)
        } else if hub.kinds.resource(kind).is_some_and(|(_, namespaced)| namespaced) {
            Api::namespaced_with(hub.client.clone(), &owner.key.namespace, resource)
        } else {
            continue;
        };
        let listed = api.list_metadata(&ListParams::default()).await;
        let listed =
            listed.map_err(|source| Error::request(Verb::Read, resource.plural.clone(), source))?;
        let is_unseen = listed.items.iter().any(|found| {
            let uid = found.metadata.uid.as_deref().unwrap_or_default();
            let owners = found.metadata.owner_references.iter().flatten();
            owners.into_iter().any(|one| *one.uid == *owner.uid)
                && !seen.iter().any(|known| *known.uid == *uid)
        });
        if is_unseen {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn act(hub: &Hub, object: &Object, action: Action) -> Result<(), Error> {
    match action {
        Action::Delete(policy) => delete(hub, object, policy).await,
        Action::DropOwners(owners) => drop_owners(hub, object, &owners).await,
        Action::Orphan(dependents) => {
            for uid in dependents {
                if let Some(dependent) = hub.world(|world| world.get(&uid).cloned()) {
                    drop_owners(hub, &dependent, std::slice::from_ref(&object.uid)).await?;
                }
            }
            Ok(())
        }
        Action::Unblock => {
            edit(hub, object, |live| {
                let owners = live.owner_references.as_mut()?;
                for owner in owners.iter_mut() {
                    owner.block_owner_deletion = Some(false);
                }
                Some(json!({"ownerReferences": owners}))
            })
            .await
        }
        Action::RemoveFinalizer(finalizer) => {
            edit(hub, object, |live| {
                let finalizers = live
                    .finalizers
                    .as_mut()
                    .filter(|finalizers| finalizers.iter().any(|known| known == finalizer))?;
                finalizers.retain(|known| known != finalizer);
                Some(json!({"finalizers": finalizers}))
            })
            .await
        }
    }
}

async fn drop_owners(hub: &Hub, object: &Object, owners: &[Uid]) -> Result<(), Error> {
    edit(hub, object, |live| {
        let references = live.owner_references.as_mut()?;
        let before = references.len();
        references.retain(|reference| !owners.iter().any(|owner| **owner == *reference.uid));
        (references.len() != before).then(|| json!({"ownerReferences": references}))
    })
    .await
}

fn api(hub: &Hub, kind: Kind, namespace: &str) -> Option<Api<Bare>> {
    let (resource, namespaced) = hub.kinds.resource(kind)?;
    let client = hub.client.clone();
    Some(if namespaced {
        Api::namespaced_with(client, namespace, resource)
    } else {
        Api::all_with(client, resource)
    })
}

fn described(kind: Kind, key: &Key) -> String {
    format!("{kind:?} {key}")
}

/// The live metadata of an object; `None` if there is none.
async fn read(hub: &Hub, kind: Kind, key: &Key) -> Result<Option<ObjectMeta>, Error> {
    let Some(api) = api(hub, kind, &key.namespace) else { return Ok(None) };
    let found = api
        .get_opt(&key.name)
        .await
        .map_err(|source| Error::request(Verb::Read, described(kind, key), source))?;
    Ok(found.map(|found| found.metadata))
}

/// Changes the live metadata of the object, if it still is the same one. A conflict comes back as an error and is tried again.
async fn edit(
    hub: &Hub,
    object: &Object,
    change: impl FnOnce(&mut ObjectMeta) -> Option<Value>,
) -> Result<(), Error> {
    let Some(mut live) = read(hub, object.kind, &object.key).await? else { return Ok(()) };
    if live.uid.as_deref() != Some(&*object.uid) {
        return Ok(());
    }
    let Some(mut metadata) = change(&mut live) else { return Ok(()) };
    metadata["uid"] = json!(live.uid);
    metadata["resourceVersion"] = json!(live.resource_version);
    let Some(api) = api(hub, object.kind, &object.key.namespace) else { return Ok(()) };
    match api
        .patch(&object.key.name, &manager(), &Patch::Merge(json!({"metadata": metadata})))
        .await
    {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => {
            Err(Error::request(Verb::Change, described(object.kind, &object.key), source))
        }
    }
}

/// Deletes exactly what was looked at: had the object changed since, it could have an owner again.
async fn delete(hub: &Hub, object: &Object, policy: Policy) -> Result<(), Error> {
    let Some(api) = api(hub, object.kind, &object.key.namespace) else { return Ok(()) };
    let options = match policy {
        Policy::Background => DeleteParams::background(),
        Policy::Foreground => DeleteParams::foreground(),
        Policy::Orphan => DeleteParams::orphan(),
    };
    let resource_version =
        Some(object.version).filter(|version| *version > 0).map(|version| version.to_string());
    let options = options
        .preconditions(Preconditions { uid: Some(object.uid.to_string()), resource_version });
    match api.delete(&object.key.name, &options).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => {
            Err(Error::request(Verb::Delete, described(object.kind, &object.key), source))
        }
    }
}
