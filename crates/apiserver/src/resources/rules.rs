//! What each kind does with its objects: defaults, what a client may not set, and when an object is invalid.

use serde_json::{Value, json};

use self::names::subdomain_problem;
use crate::failure::Cause;

pub(crate) use self::{
    apps::{Deployments, ReplicaSets},
    core::{ConfigMaps, EndpointsRules, Leases, Namespaces, Plain, Secrets},
    events::{Events, NewEvents},
    names::{check_labels, label_value_problem, qualified_problems},
    nodes::Nodes,
    pods::Pods,
    quotas::Quotas,
    rbac::{Bindings, Roles},
    services::Services,
    slices::Slices,
    storage::{Claims, StorageClasses, Volumes},
};

mod apps;
mod core;
mod events;
mod names;
mod nodes;
mod pods;
mod quotas;
mod rbac;
mod services;
mod slices;
mod storage;

/// The rules of a kind. The default is a kind without any.
pub(crate) trait Rules: Sync {
    /// Fills in what the client left out.
    fn default(&self, _object: &mut Value) {}

    /// Writes the fields that the real server writes also where they are empty, however the object came in.
    fn complete(&self, _object: &mut Value) {}

    /// What a client should know of its object although it is valid.
    fn warnings(&self, _object: &Value) -> Vec<String> {
        Vec::new()
    }

    /// The same for an object that is new.
    fn warnings_of_new(&self, object: &Value) -> Vec<String> {
        self.warnings(object)
    }

    /// Completes a status by the one before.
    fn prepare_status(&self, _new: &mut Value, _old: &Value) {}

    /// Sets or removes what only the server decides when an object is made.
    fn prepare_create(&self, object: &mut Value) {
        remove_status(object);
    }

    /// Restores what an update of the object may not change.
    fn prepare_update(&self, _new: &mut Value, _old: &Value) {}

    /// Everything that is wrong with the object.
    fn validate(&self, _object: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// Everything that is wrong with the object only because it is new.
    fn validate_create(&self, _object: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// Everything that may not change from one version of the object to the next.
    fn validate_update(&self, _new: &Value, _old: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// Everything that is wrong with a status.
    fn validate_status(&self, _object: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// Whether the generation counts every change but of metadata other than labels, and not that of a specification.
    fn counts_all(&self) -> bool {
        false
    }

    /// How long an object may take to end after its deletion, in seconds; `None` where it is simply removed.
    fn grace_period(&self, _object: &Value, _asked: Option<i64>) -> Option<i64> {
        None
    }

    /// What is wrong with a name.
    fn name_problem(&self, name: &str) -> Option<String> {
        subdomain_problem(name)
    }
}

fn remove_status(object: &mut Value) {
    if let Value::Object(map) = object {
        map.shift_remove("status");
    }
}

/// Sets a field that is absent.
pub(super) fn default_to(object: &mut Value, field: &str, value: impl Into<Value>) {
    if let Value::Object(map) = object {
        let slot = map.entry(field).or_insert(Value::Null);
        if slot.is_null() || slot.as_str() == Some("") {
            *slot = value.into();
        }
    }
}

/// Sets a field that is absent, to whatever value.
pub(super) fn write_empty(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(map) = object {
        map.entry(field).or_insert(value);
    }
}

/// The object in a field, made if it is absent.
pub(super) fn child<'a>(object: &'a mut Value, field: &str) -> Option<&'a mut Value> {
    let slot = object.as_object_mut()?.entry(field).or_insert_with(|| json!({}));
    if slot.is_null() {
        *slot = json!({});
    }
    Some(slot)
}

/// The items of a list in a field.
pub(super) fn items<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A field that may not change.
pub(super) fn immutable(new: &Value, old: &Value, pointer: &str, field: &str) -> Option<Cause> {
    let (new, old) = (new.pointer(pointer), old.pointer(pointer));
    (new != old).then(|| Cause::invalid(field, new.unwrap_or(&Value::Null), "field is immutable"))
}
