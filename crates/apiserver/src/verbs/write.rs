//! The change of an existing object: computed from what is stored, made only if that is still what is stored.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value};

use super::{body, metadata};
use crate::{
    admission,
    allocation::Reservation,
    api::Api,
    failure::{Cause, Failure},
    managed::{self, Author},
    request::Call,
    resources::{Habit, Resource},
    security::escalation,
    storage::{Change, CommitError, Object},
};

/// How often a change without a given revision is computed again when others are faster.
const ATTEMPTS: usize = 20;

/// Which part of the object a request may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Object,
    Status,
    /// The finalizers of a namespace's specification.
    Finalizers,
}

impl Part {
    pub(super) fn subresource(self) -> &'static str {
        match self {
            Self::Object => "",
            Self::Status => "status",
            Self::Finalizers => "finalize",
        }
    }
}

/// What became of a change.
pub(super) enum Written {
    Stored(Arc<Object>),
    /// The object was to vanish with its last finalizer, and did.
    Removed(Arc<Object>),
    DryRun(Value),
}

/// Changes an object by a function from its stored state to the new one.
pub(super) async fn change(
    api: &Api,
    call: &Call,
    mut compute: impl FnMut(&Value) -> Result<Value, Failure>,
) -> Result<Written, Failure> {
    let resource = call.target.resource;
    let key = call.key();
    let dry_run = call.dry_run();
    let mut attempts = 0;
    while attempts < ATTEMPTS {
        let stored = api.store.get(resource.id, &key);
        let stored = stored.ok_or_else(|| Failure::not_found(resource, call.name()))?;
        let old = resource.outward(stored.value());
        let mut new = compute(&old)?;
        let taken = charges(api, call, &old, &new)?;
        let reservation = reserve(api, resource, call.name(), &mut new, Some(&old))?;
        if dry_run {
            return Ok(Written::DryRun(new));
        }
        if new == old {
            return Ok(Written::Stored(stored));
        }
        let delete = vanishes(&new);
        let change = Change {
            resource: resource.id,
            key: key.clone(),
            based_on: Some(stored.revision),
            object: resource.inward(new.clone()),
            delete,
        };
        let changes = std::iter::once(change).chain(taken).collect();
        let made = || {
            if let Some(reservation) = reservation {
                reservation.keep();
                api.allocation.release(&old, (!delete).then_some(&new));
            }
        };
        match api.store.commit(changes, made).await {
            Ok(objects) => {
                let object = objects
                    .into_iter()
                    .next()
                    .ok_or_else(|| Failure::internal("the store returned nothing"))?;
                // The last state of an object was never stored, so it has the revision of the one before.
                return Ok(if delete {
                    Written::Removed(Arc::new(object.at(stored.revision)))
                } else {
                    Written::Stored(object)
                });
            }
            Err(CommitError::Stale) => {
                // Where only a quota was changed in the meantime, nobody was faster with this object.
                let now = api.store.get(resource.id, &key).map(|object| object.revision);
                attempts += usize::from(now != Some(stored.revision));
            }
            Err(error) => return Err(Failure::unknown(error.to_string())),
        }
    }
    Err(Failure::modified(resource, call.name()))
}

/// What a change takes of quotas; one of a part of the object takes nothing.
fn charges(api: &Api, call: &Call, old: &Value, new: &Value) -> Result<Vec<Change>, Failure> {
    if call.target.subresource.is_some() {
        return Ok(Vec::new());
    }
    let place = (call.namespace(), call.name());
    admission::quota::charge(api, call.target.resource, place, Some(old), new)
}

/// Whether nothing holds a deleted object any more.
pub(super) fn vanishes(object: &Value) -> bool {
    metadata::is_deleting(object)
        && metadata::finalizers(object).is_empty()
        && object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64) == Some(0)
        && object.pointer("/spec/finalizers").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// Takes the addresses and ports that a service needs.
pub(super) fn reserve<'a>(
    api: &'a Api,
    resource: &Resource,
    name: &str,
    object: &mut Value,
    old: Option<&Value>,
) -> Result<Option<Reservation<'a>>, Failure> {
    if resource.plural != "services" {
        return Ok(None);
    }
    let reservation = api.allocation.reserve(object, old);
    reservation.map(Some).map_err(|causes| Failure::invalid(resource, name, &causes))
}

/// Applies the rules of an update: what the request may not change is brought back, the rest is checked.
pub(super) fn finish_update(
    api: &Api,
    call: &Call,
    part: Part,
    mut new: Value,
    old: &Value,
) -> Result<Value, Failure> {
    let resource = call.target.resource;
    body::check_kind(resource, &mut new)?;
    check_identity(call, &new, old)?;
    let mut causes = metadata::fixed_fields(&new, old);
    metadata::keep_system_fields(&mut new, old);
    metadata::keep_managers(&mut new, old);
    let mut new = body::normalize(call, new)?;
    match part {
        Part::Object => {
            if resource.status {
                set_or_remove(&mut new, "status", old.get("status"));
            }
            resource.rules.prepare_update(&mut new, old);
            resource.rules.default(&mut new);
            admission::admit_update(resource, &mut new);
        }
        // Nothing but the metadata and the status is the client's, whether the stored object has it or not.
        Part::Status => {
            let sent = std::mem::replace(&mut new, old.clone());
            for field in ["metadata", "status"] {
                set_or_remove(&mut new, field, sent.get(field));
            }
        }
        Part::Finalizers => {
            set_or_remove(&mut new, "status", old.get("status"));
            if new.get("spec").is_none_or(Value::is_null) {
                new["spec"] = Value::Object(Map::new());
            }
            resource.rules.default(&mut new);
        }
    }
    if part == Part::Status {
        resource.rules.prepare_status(&mut new, old);
    }
    escalation::check(api, call, &new, Some(old))?;
    metadata::count_generation(resource, &mut new, old);
    causes.extend(metadata::validate_update(&new, old));
    if part == Part::Finalizers {
        causes.extend(metadata::validate(resource, &new));
    }
    // Two layers of the real server check this, and each says what it finds.
    causes.extend(causes.clone());
    causes.extend(metadata::validate(resource, &new));
    if part == Part::Object {
        causes.extend(resource.rules.validate(&new));
        causes.extend(resource.rules.validate_update(&new, old));
    }
    if part == Part::Status {
        causes.extend(resource.rules.validate_status(&new));
    }
    if part == Part::Finalizers {
        causes.extend(metadata::validate_finalizers_of_content(&new));
    }
    if !causes.is_empty() {
        return Err(Failure::invalid(resource, call.name(), &causes));
    }
    if part == Part::Object {
        resource.rules.warnings(&new).into_iter().for_each(|text| call.warnings.add(text));
    }
    Ok(new)
}

/// An update by the rules, with its author noted as the manager of what it changed.
pub(super) fn finish_tracked(
    api: &Api,
    call: &Call,
    part: Part,
    new: Value,
    old: &Value,
) -> Result<Value, Failure> {
    let mut new = finish_update(api, call, part, new, old)?;
    let author = Author { manager: &call.manager(), subresource: part.subresource() };
    managed::track_update(call.target.resource, &mut new, old, &author);
    Ok(new)
}

fn set_or_remove(object: &mut Value, field: &str, value: Option<&Value>) {
    let Value::Object(map) = object else { return };
    match value {
        Some(value) => map.insert(field.to_owned(), value.clone()),
        None => map.shift_remove(field),
    };
}

/// The real server tells this from the depth of its storage.
pub(super) fn wrong_uid(resource: &Resource, key: &str, asked: &str, stored: &str) -> String {
    wrong_precondition(resource, key, "UID", asked, stored)
}

/// The same of any field of the metadata.
pub(super) fn wrong_precondition(
    resource: &Resource,
    key: &str,
    what: &str,
    asked: &str,
    stored: &str,
) -> String {
    format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}/{key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: {what} in precondition: {asked}, {what} in object meta: {stored}",
        resource.plural
    )
}

/// The object must be the one in the path, and if it names a revision or a uid, the stored one.
fn check_identity(call: &Call, new: &Value, old: &Value) -> Result<(), Failure> {
    let resource = call.target.resource;
    metadata::check_name(call, new)?;
    let namespace = metadata::text(new, "namespace");
    if !namespace.is_empty() && namespace != call.namespace() {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    let (uid, stored) = (metadata::text(new, "uid"), metadata::text(old, "uid"));
    // A patch is told of its uid with what else may not change.
    if !uid.is_empty() && uid != stored && call.method == Method::PUT {
        let why = wrong_uid(resource, &call.key(), uid, stored);
        return Err(Failure::conflict(resource, call.name(), &why));
    }
    match metadata::text(new, "resourceVersion") {
        "" | "0" if resource.has(Habit::ChangedByVersion) => {
            let field = "metadata.resourceVersion";
            let cause = Cause::invalid(field, &0.into(), "must be specified for an update");
            // In this one answer the real server names the plural where it otherwise names the kind.
            let (group, plural) = (resource.group, resource.plural);
            Err(Failure::invalid_kind(group, plural, call.name(), &[cause]))
        }
        "" | "0" => Ok(()),
        revision if revision == metadata::text(old, "resourceVersion") => Ok(()),
        _ => Err(Failure::modified(resource, call.name())),
    }
}
