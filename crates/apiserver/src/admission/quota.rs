//! Quotas: an object is only stored together with what it takes of them.

use flumen_quota::{Kind, Quota};
use serde_json::Value;

use crate::{api::Api, clock, failure::Failure, resources::Resource, storage::Change};

/// The changes of the quotas of a namespace that go with an object that is made or changed. Made in one commit with it,
/// they are refused with it: whoever was faster with the last room has it.
pub(crate) fn charge(
    api: &Api,
    resource: &Resource,
    (namespace, name): (&str, &str),
    old: Option<&Value>,
    new: &Value,
) -> Result<Vec<Change>, Failure> {
    let kind = Kind { group: resource.group, plural: resource.plural };
    if !resource.namespaced || !flumen_quota::handles(kind, old, new) {
        return Ok(Vec::new());
    }
    let resources = api.registry.core("resourcequotas");
    let (stored, _) = api.store.list(resources.id, Some(namespace));
    if stored.is_empty() {
        return Ok(Vec::new());
    }
    let objects: Vec<Value> = stored.iter().map(|(_, object)| object.value()).collect();
    let quotas: Vec<Quota> = objects.iter().map(Quota::of).collect();
    let charged = flumen_quota::charge(&quotas, kind, old, new, clock::now())
        .map_err(|why| Failure::forbidden(resource, name, &why))?;
    let change = |(place, used): (usize, flumen_quota::Amounts)| {
        let (key, revision) = stored.get(place).map(|(key, object)| (key, object.revision))?;
        let mut object = objects.get(place)?.clone();
        let used = used.into_iter().map(|(name, amount)| (name, amount.to_string().into()));
        object["status"]["used"] = Value::Object(used.collect());
        Some(Change {
            resource: resources.id,
            key: key.to_string(),
            based_on: Some(revision),
            object,
            delete: false,
        })
    };
    Ok(charged.into_iter().filter_map(change).collect())
}
