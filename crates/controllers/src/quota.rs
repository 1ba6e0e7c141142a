//! Quotas: what is used of them, counted again when something goes. What comes is counted by the API server as it comes in.

use std::collections::BTreeMap;
use std::time::Duration;

use flumen_quota::{Amount, Amounts, Spec, covers, usage};
use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use kube::core::ApiResource;
use serde_json::{Value, json};

use crate::error::Verb;
use crate::facts::{Facts, Key};
use crate::hub::{Hub, MANAGER, describe};
use crate::kinds::Kind;
use crate::world::World;
use crate::{Error, clock};

/// A pod may leave a quota by a change that no watch is asked for; kube-controller-manager counts again as often.
const EVERY: Duration = Duration::from_mins(5);
/// How long what goes is gathered before it is counted: people see it within a second, and what goes by the thousand costs two
/// counts a second.
const PAUSE: Duration = Duration::from_millis(500);
/// How often it is counted again at once where objects come in meanwhile.
const ATTEMPTS: usize = 20;

/// Something of this kind went: where a quota counts such, it is counted again when others have had the time to go with it.
pub(crate) fn given_back(hub: &Hub, namespace: String, kind: Kind) {
    let Some((resource, _)) = hub.kinds.resource(kind) else { return };
    if hub.world(|world| is_counted(world, &namespace, resource)) {
        hub.queues.quotas.push_in(namespace, PAUSE);
    }
}

fn is_counted(world: &World, namespace: &str, resource: &ApiResource) -> bool {
    let kind = flumen_quota::Kind { group: &resource.group, plural: &resource.plural };
    world.quotas(namespace).any(|key| {
        let facts = world.named(Kind::Quota, &key).map(|object| &object.facts);
        let Some(Facts::Quota { spec: Some(spec), .. }) = facts else { return false };
        !kind.taken_from(spec.hard.iter().flatten().map(|(name, _)| name)).is_empty()
    })
}

/// Counts for all quotas of a namespace, one after the other.
pub(crate) async fn look(hub: &Hub, namespace: String) -> Result<Option<Duration>, Error> {
    let quotas: Vec<Key> = hub.world(|world| world.quotas(&namespace).collect());
    let mut outcome = Ok(());
    for key in &quotas {
        // One that cannot be counted does not hold up the others.
        outcome = outcome.and(recount(hub, key).await);
    }
    outcome.map(|()| Some(EVERY).filter(|_| !quotas.is_empty()))
}

/// Counts live objects, and not what the watches have brought: a quota that is written over at its very revision has counted
/// everything that had come in by then, so that nothing is lost that the API server has counted already.
async fn recount(hub: &Hub, key: &Key) -> Result<(), Error> {
    let api = hub.api::<ResourceQuota>(&key.namespace);
    let failed = |verb, source| Error::request(verb, describe::<ResourceQuota>(key), source);
    let mut conflict = None;
    for _ in 0..ATTEMPTS {
        let found = api.get_opt(&key.name).await.map_err(|source| failed(Verb::Read, source))?;
        let Some(mut quota) = found else { return Ok(()) };
        let used = count(hub, &key.namespace, &quota).await?;
        let status = status(&quota, &used);
        if is_same(quota.status.as_ref(), &status) {
            return Ok(());
        }
        quota.status = Some(status);
        let parameters =
            PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        match api.replace_status(&key.name, &parameters, &quota).await {
            Ok(written) => {
                hub.answered(&written);
                return Ok(());
            }
            Err(source) => {
                let error = failed(Verb::Change, source);
                if !error.is_conflict() {
                    return if error.is_gone() { Ok(()) } else { Err(error) };
                }
                conflict = Some(error);
            }
        }
    }
    conflict.map_or(Ok(()), Err)
}

/// What the objects of a namespace take of what a quota limits.
async fn count(hub: &Hub, namespace: &str, quota: &ResourceQuota) -> Result<Amounts, Error> {
    let spec = json!(quota.spec);
    let spec = Spec::of(&spec);
    let names: Vec<String> = quota
        .spec
        .iter()
        .flat_map(|spec| spec.hard.iter().flatten())
        .map(|it| it.0.clone())
        .collect();
    let mut used = Amounts::new();
    for resource in hub.kinds.contents() {
        let kind = flumen_quota::Kind { group: &resource.group, plural: &resource.plural };
        let counted = kind.taken_from(names.iter());
        if counted.is_empty() {
            continue;
        }
        let taken = if kind.is_measured() {
            measure(hub, namespace, resource, &spec).await?
        } else {
            let number =
                if spec == Spec::default() { number(hub, namespace, resource).await? } else { 0 };
            counted.iter().map(|name| (name.clone(), Amount::count(number))).collect()
        };
        for name in counted {
            let amount = taken.get(&name).copied().unwrap_or_default();
            used.insert(name, amount);
        }
    }
    Ok(used)
}

fn api(hub: &Hub, namespace: &str, resource: &ApiResource) -> Api<DynamicObject> {
    Api::namespaced_with(hub.client.clone(), namespace, resource)
}

fn unread(resource: &ApiResource) -> impl Fn(kube::Error) -> Error {
    let plural = resource.plural.clone();
    move |source| Error::request(Verb::Read, plural.clone(), source)
}

async fn measure(
    hub: &Hub,
    namespace: &str,
    resource: &ApiResource,
    spec: &Spec,
) -> Result<Amounts, Error> {
    let kind = flumen_quota::Kind { group: &resource.group, plural: &resource.plural };
    let list = api(hub, namespace, resource).list(&ListParams::default()).await;
    let (mut total, now) = (Amounts::new(), clock::now());
    for object in list.map_err(unread(resource))?.items {
        let object = serde_json::to_value(object).unwrap_or(Value::Null);
        if !covers(spec, kind, &object) {
            continue;
        }
        for (name, amount) in usage(kind, &object, now) {
            let sum = total.get(&name).map_or(amount, |known| known.plus(amount));
            total.insert(name, sum);
        }
    }
    Ok(total)
}

/// How many objects of a kind there are: the server tells it with the first of them.
async fn number(hub: &Hub, namespace: &str, resource: &ApiResource) -> Result<usize, Error> {
    let list = api(hub, namespace, resource).list_metadata(&ListParams::default().limit(1)).await;
    let list = list.map_err(unread(resource))?;
    let more = list.metadata.remaining_item_count.unwrap_or(0);
    Ok(list.items.len() + usize::try_from(more).unwrap_or(0))
}

/// The status of a quota: its limits as they now count, and what was found to be used, or was used where nobody counts.
fn status(quota: &ResourceQuota, found: &Amounts) -> ResourceQuotaStatus {
    let hard = quota.spec.as_ref().and_then(|spec| spec.hard.clone()).unwrap_or_default();
    let mut used = quota.status.as_ref().and_then(|status| status.used.clone()).unwrap_or_default();
    used.retain(|name, _| hard.contains_key(name));
    used.extend(found.iter().map(|(name, amount)| (name.clone(), Quantity(amount.to_string()))));
    ResourceQuotaStatus { hard: Some(hard), used: Some(used) }
}

/// Whether two statuses say the same, in whatever units.
fn is_same(old: Option<&ResourceQuotaStatus>, new: &ResourceQuotaStatus) -> bool {
    let read = |map: &Option<BTreeMap<String, Quantity>>| {
        let map = map.as_ref()?;
        let amounts = map.iter().map(|(name, text)| (name.clone(), Amount::parse(&text.0)));
        Some(amounts.collect::<BTreeMap<_, _>>())
    };
    old.is_some_and(|old| read(&old.hard) == read(&new.hard) && read(&old.used) == read(&new.used))
}

#[cfg(test)]
mod tests;
