//! What comes to an owner and what leaves it: it has those that it made, as long as they have the labels that it selects, and those
//! that nobody manages and that have them.

use kube::api::Patch;
use kube::core::{Selector, SelectorExt as _};
use serde_json::{Value, json};

use crate::Error;
use crate::error::Verb;
use crate::facts::{Key, Object, Uid};
use crate::hub::{Changed, Hub, describe, manager};

/// Something that comes to an owner or leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    Adopt { uid: Uid, name: String },
    Release { uid: Uid, name: String },
}

/// `managed` is what the owner has, `others` what it may find.
pub(crate) fn claims<'a>(
    selector: &Selector,
    managed: impl Iterator<Item = &'a Object>,
    others: impl Iterator<Item = &'a Object>,
) -> Vec<Claim> {
    let has_labels =
        |object: &Object| object.labels().is_some_and(|labels| selector.matches(labels));
    let name = |object: &Object| (Uid::clone(&object.uid), object.key.name.clone());
    let left = managed.filter(|object| !has_labels(object)).map(name);
    let left = left.map(|(uid, name)| Claim::Release { uid, name });
    let free = others.filter(|object| object.controller().is_none() && has_labels(object));
    let free = free.map(name).map(|(uid, name)| Claim::Adopt { uid, name });
    left.chain(free).collect()
}

/// Changes the owner references of objects `K` as the claims of the owner `O` say.
pub(crate) async fn act<O: Changed, K: Changed>(
    hub: &Hub,
    owner: &Key,
    uid: &Uid,
    claims: Vec<Claim>,
) -> Result<(), Error> {
    let adopts = claims.iter().any(|claim| matches!(claim, Claim::Adopt { .. }));
    // A watch may be behind: an owner that is gone must get nothing.
    let is_there = !adopts || is_there::<O>(hub, owner, uid).await?;
    for claim in claims {
        match claim {
            Claim::Adopt { uid: object, name } if is_there => {
                let reference = json!({
                    "apiVersion": O::api_version(&()), "kind": O::kind(&()), "name": owner.name, "uid": &**uid,
                    "controller": true, "blockOwnerDeletion": true
                });
                change::<K>(hub, &Key::new(&*owner.namespace, name), &object, reference).await?;
            }
            Claim::Adopt { .. } => {}
            Claim::Release { uid: object, name } => {
                let reference = json!({"$patch": "delete", "uid": &**uid});
                change::<K>(hub, &Key::new(&*owner.namespace, name), &object, reference).await?;
            }
        }
    }
    Ok(())
}

async fn is_there<O: Changed>(hub: &Hub, key: &Key, uid: &Uid) -> Result<bool, Error> {
    let found = hub.api::<O>(&key.namespace).get_opt(&key.name).await;
    let found = found.map_err(|source| Error::request(Verb::Read, describe::<O>(key), source))?;
    Ok(found.is_some_and(|found| {
        found.meta().uid.as_deref() == Some(&**uid) && found.meta().deletion_timestamp.is_none()
    }))
}

async fn change<K: Changed>(hub: &Hub, key: &Key, uid: &Uid, owner: Value) -> Result<(), Error> {
    let body = json!({"metadata": {"uid": &**uid, "ownerReferences": [owner]}});
    let api = hub.api::<K>(&key.namespace);
    match api.patch(&key.name, &manager(), &Patch::Strategic(body)).await {
        Ok(changed) => hub.answered(&changed),
        // It is gone, or another one of that name has come.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 422) => {}
        Err(source) => return Err(Error::request(Verb::Change, describe::<K>(key), source)),
    }
    Ok(())
}
