//! Claims, volumes and classes of storage.

use serde_json::{Value, json};

use super::{Rules, child, default_to, immutable, subdomain_problem, text};
use crate::{clock, failure::Cause, resources::quantity};

const ACCESS_MODES: [&str; 4] =
    ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const POLICIES: [&str; 3] = ["Delete", "Recycle", "Retain"];
/// The sources of volumes that are known here, in the order in which they are looked at: the second one is one too many.
const SOURCES: [&str; 4] = ["hostPath", "nfs", "local", "csi"];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const ONE_POD: &str = "ReadWriteOncePod";

/// What is in use goes only when it is not any more: the finalizer says so.
fn protect(object: &mut Value, finalizer: &str) {
    let Some(metadata) = child(object, "metadata") else { return };
    match metadata.get_mut("finalizers").and_then(Value::as_array_mut) {
        Some(list) if list.iter().any(|known| known == finalizer) => {}
        Some(list) => list.push(finalizer.into()),
        None => metadata["finalizers"] = json!([finalizer]),
    }
}

fn check_modes(object: &Value, missing: &str, causes: &mut Vec<Cause>) {
    let modes = object.pointer("/spec/accessModes").and_then(Value::as_array);
    let modes = modes.map_or(&[][..], Vec::as_slice);
    if modes.is_empty() {
        causes.push(Cause::required("spec.accessModes", missing));
    }
    let known = |mode: &&Value| mode.as_str().is_some_and(|mode| ACCESS_MODES.contains(&mode));
    for mode in modes.iter().filter(|mode| !known(mode)) {
        causes.push(Cause::unsupported("spec.accessModes", mode, &ACCESS_MODES));
    }
    if modes.len() > 1 && modes.iter().any(|mode| mode == ONE_POD) {
        let detail = "may not use ReadWriteOncePod with other access modes";
        causes.push(Cause::forbidden("spec.accessModes", detail));
    }
}

fn check_class_and_mode(object: &Value, causes: &mut Vec<Cause>) {
    let class = text(object, "/spec/storageClassName");
    if let Some(problem) = Some(class).filter(|name| !name.is_empty()).and_then(subdomain_problem) {
        causes.push(Cause::invalid("spec.storageClassName", &class.into(), &problem));
    }
    let mode = text(object, "/spec/volumeMode");
    if !VOLUME_MODES.contains(&mode) {
        causes.push(Cause::unsupported("spec.volumeMode", &mode.into(), &VOLUME_MODES));
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
        check_modes(object, "at least 1 access mode is required", &mut causes);
        let place = "spec.resources[storage]";
        match object.pointer("/spec/resources/requests/storage") {
            None => causes.push(Cause::required(place, "")),
            Some(size) if size.as_str().and_then(quantity::parse).is_some_and(|size| size <= 0) => {
                causes.push(Cause::invalid(place, size, "must be greater than zero"));
            }
            Some(_) => {}
        }
        check_class_and_mode(object, &mut causes);
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let fixed = |object: &Value| {
            let mut spec = object.get("spec").cloned().unwrap_or_default();
            if let Some(map) = spec.as_object_mut() {
                if text(old, "/status/phase") == "Bound" {
                    map.shift_remove("resources");
                }
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
        let changed = (fixed(new) != fixed(old)).then(|| Cause::forbidden("spec", detail));
        changed.into_iter().chain(immutable(new, old, "/spec/volumeMode", "volumeMode")).collect()
    }
}

/// Volumes.
pub(crate) struct Volumes;

impl Rules for Volumes {
    fn default(&self, object: &mut Value) {
        if let Some(spec) = child(object, "spec") {
            default_to(spec, "persistentVolumeReclaimPolicy", "Retain");
            default_to(spec, "volumeMode", "Filesystem");
            if let Some(directory) = spec.get_mut("hostPath") {
                default_to(directory, "type", "");
            }
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({"phase": "Pending", "lastPhaseTransitionTime": clock::stamp()});
        protect(object, "kubernetes.io/pv-protection");
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        check_modes(object, "", &mut causes);
        check_capacity(object, &mut causes);
        check_source(object, &mut causes);
        check_class_and_mode(object, &mut causes);
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
        source.into_iter().chain(immutable(new, old, "/spec/volumeMode", "volumeMode")).collect()
    }
}

fn check_capacity(volume: &Value, causes: &mut Vec<Cause>) {
    let capacity = volume.pointer("/spec/capacity").unwrap_or(&Value::Null);
    let amounts = capacity.as_object();
    if amounts.is_none_or(serde_json::Map::is_empty) {
        causes.push(Cause::required("spec.capacity", ""));
    }
    if amounts.is_none_or(|amounts| amounts.len() != 1 || !amounts.contains_key("storage")) {
        causes.push(Cause::unsupported("spec.capacity", capacity, &["storage"]));
    }
}

fn check_source(volume: &Value, causes: &mut Vec<Cause>) {
    let mut given =
        SOURCES.iter().filter(|name| volume.pointer(&format!("/spec/{name}")).is_some());
    let Some(source) = given.next() else {
        causes.push(Cause::required("spec", "must specify a volume type"));
        return;
    };
    for other in given {
        let detail = "may not specify more than 1 volume type";
        causes.push(Cause::forbidden(format!("spec.{other}"), detail));
    }
    if matches!(*source, "hostPath" | "local") {
        let place = format!("spec.{source}.path");
        let path = text(volume, &format!("/spec/{source}/path"));
        if path.is_empty() {
            causes.push(Cause::required(place, ""));
        } else if path.split('/').any(|part| part == "..") {
            causes.push(Cause::invalid(place, &path.into(), "must not contain '..'"));
        }
    }
    if *source == "local" && volume.pointer("/spec/nodeAffinity/required").is_none() {
        let detail = "Local volume requires node affinity";
        causes.push(Cause::required("spec.nodeAffinity", detail));
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
        let mut causes = Vec::new();
        if text(object, "/provisioner").is_empty() {
            causes.push(Cause::required("provisioner", ""));
        }
        for (field, known) in [
            ("reclaimPolicy", ["Delete", "Retain"]),
            ("volumeBindingMode", ["Immediate", "WaitForFirstConsumer"]),
        ] {
            let value = object.get(field).unwrap_or(&Value::Null);
            if !known.iter().any(|known| value == known) {
                causes.push(Cause::unsupported(field, value, &known));
            }
        }
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let fields = ["parameters", "provisioner", "reclaimPolicy"];
        let changed = fields.into_iter().filter(|field| new.get(field) != old.get(field));
        changed
            .map(|field| Cause::forbidden(field, &format!("updates to {field} are forbidden.")))
            .chain(immutable(new, old, "/volumeBindingMode", "volumeBindingMode"))
            .collect()
    }
}
