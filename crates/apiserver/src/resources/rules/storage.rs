//! Claims, volumes and classes of storage.

use serde_json::{Value, json};

use super::{Rules, child, default_to, immutable, text};
use crate::failure::Cause;

const ACCESS_MODES: [&str; 4] =
    ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const POLICIES: [&str; 3] = ["Delete", "Recycle", "Retain"];
/// The sources of volumes that are known here.
const SOURCES: [&str; 4] = ["hostPath", "local", "nfs", "csi"];

/// What is in use goes only when it is not any more: the finalizer says so.
fn protect(object: &mut Value, finalizer: &str) {
    let Some(metadata) = child(object, "metadata") else { return };
    match metadata.get_mut("finalizers").and_then(Value::as_array_mut) {
        Some(list) if list.iter().any(|known| known == finalizer) => {}
        Some(list) => list.push(finalizer.into()),
        None => metadata["finalizers"] = json!([finalizer]),
    }
}

fn check_modes(object: &Value, causes: &mut Vec<Cause>) {
    let modes = object.pointer("/spec/accessModes").and_then(Value::as_array);
    let modes = modes.map_or(&[][..], Vec::as_slice);
    if modes.is_empty() {
        causes.push(Cause::required("spec.accessModes", "at least 1 access mode is required"));
    }
    let known = |mode: &&Value| mode.as_str().is_some_and(|mode| ACCESS_MODES.contains(&mode));
    for mode in modes.iter().filter(|mode| !known(mode)) {
        causes.push(Cause::unsupported("spec.accessModes", mode, &ACCESS_MODES));
    }
}

/// Claims of volumes.
pub(crate) struct Claims;

impl Rules for Claims {
    fn default(&self, object: &mut Value) {
        if let Some(spec) = child(object, "spec") {
            default_to(spec, "volumeMode", "Filesystem");
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({"phase": "Pending"});
        protect(object, "kubernetes.io/pvc-protection");
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        check_modes(object, &mut causes);
        if object.pointer("/spec/resources/requests/storage").is_none() {
            causes.push(Cause::required("spec.resources[storage]", ""));
        }
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let fixed = |object: &Value| {
            let mut spec = object.get("spec").cloned().unwrap_or_default();
            if let Some(map) = spec.as_object_mut() {
                map.shift_remove("resources");
                // These two may still be given to a claim that has none.
                for name in ["volumeName", "storageClassName"] {
                    if text(old, &format!("/spec/{name}")).is_empty() {
                        map.shift_remove(name);
                    }
                }
            }
            spec
        };
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        if fixed(new) == fixed(old) { Vec::new() } else { vec![Cause::forbidden("spec", detail)] }
    }
}

/// Volumes.
pub(crate) struct Volumes;

impl Rules for Volumes {
    fn default(&self, object: &mut Value) {
        if let Some(spec) = child(object, "spec") {
            default_to(spec, "persistentVolumeReclaimPolicy", "Retain");
            default_to(spec, "volumeMode", "Filesystem");
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({"phase": "Pending"});
        protect(object, "kubernetes.io/pv-protection");
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        if object.pointer("/spec/capacity/storage").is_none() {
            causes.push(Cause::required("spec.capacity", ""));
        }
        check_modes(object, &mut causes);
        let has = |name: &&&str| object.pointer(&format!("/spec/{name}")).is_some();
        if SOURCES.iter().find(has).is_none() {
            causes.push(Cause::required("spec", "must specify a volume type"));
        }
        let policy = text(object, "/spec/persistentVolumeReclaimPolicy");
        if !POLICIES.contains(&policy) {
            let field = "spec.persistentVolumeReclaimPolicy";
            causes.push(Cause::unsupported(field, &policy.into(), &POLICIES));
        }
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let changed = |name: &&&str| {
            new.pointer(&format!("/spec/{name}")) != old.pointer(&format!("/spec/{name}"))
        };
        let detail = "spec.persistentvolumesource is immutable after creation";
        let source = SOURCES
            .iter()
            .find(changed)
            .map(|_| Cause::forbidden("spec.persistentvolumesource", detail));
        source.into_iter().collect()
    }
}

/// Classes of storage.
pub(crate) struct StorageClasses;

impl Rules for StorageClasses {
    fn default(&self, object: &mut Value) {
        default_to(object, "reclaimPolicy", "Delete");
        default_to(object, "volumeBindingMode", "Immediate");
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let missing = text(object, "/provisioner").is_empty();
        missing.then(|| Cause::required("provisioner", "")).into_iter().collect()
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let fields = ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"];
        fields.iter().filter_map(|field| immutable(new, old, &format!("/{field}"), field)).collect()
    }
}
