//! Claims, volumes and classes of storage.

use serde_json::Value;

use super::{AGE, Column, NAME, list, string, text, wide};

pub(super) const CLAIM: &[Column] = &[
    NAME,
    text("Status", |claim| status(claim).into()),
    text("Volume", |claim| string(claim, "/spec/volumeName").into()),
    text("Capacity", |claim| bound(claim, || string(claim, "/status/capacity/storage").into())),
    text("Access Modes", |claim| bound(claim, || modes(claim, "/status/accessModes"))),
    text("StorageClass", |claim| string(claim, "/spec/storageClassName").into()),
    text("VolumeAttributesClass", |_| "<unset>".into()),
    AGE,
    wide("VolumeMode", |claim| string(claim, "/spec/volumeMode").into()),
];

pub(super) const VOLUME: &[Column] = &[
    NAME,
    text("Capacity", |volume| string(volume, "/spec/capacity/storage").into()),
    text("Access Modes", |volume| modes(volume, "/spec/accessModes").into()),
    text("Reclaim Policy", |volume| string(volume, "/spec/persistentVolumeReclaimPolicy").into()),
    text("Status", |volume| status(volume).into()),
    text("Claim", |volume| {
        let name = string(volume, "/spec/claimRef/name");
        if name.is_empty() {
            return "".into();
        }
        format!("{}/{name}", string(volume, "/spec/claimRef/namespace")).into()
    }),
    text("StorageClass", |volume| string(volume, "/spec/storageClassName").into()),
    text("VolumeAttributesClass", |_| "<unset>".into()),
    text("Reason", |volume| string(volume, "/status/reason").into()),
    AGE,
    wide("VolumeMode", |volume| string(volume, "/spec/volumeMode").into()),
];

pub(super) const STORAGE_CLASS: &[Column] = &[
    text("Name", |class| {
        let name = string(class, "/metadata/name");
        let pointer = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";
        if string(class, pointer) == "true" {
            format!("{name} (default)").into()
        } else {
            name.into()
        }
    }),
    text("Provisioner", |class| string(class, "/provisioner").into()),
    text("ReclaimPolicy", |class| string(class, "/reclaimPolicy").into()),
    text("VolumeBindingMode", |class| string(class, "/volumeBindingMode").into()),
    text("AllowVolumeExpansion", |class| {
        class.get("allowVolumeExpansion").and_then(Value::as_bool).unwrap_or_default().into()
    }),
    AGE,
];

/// Of a claim without a volume nothing is told.
fn bound(claim: &Value, cell: impl FnOnce() -> String) -> Value {
    if string(claim, "/spec/volumeName").is_empty() { "".into() } else { cell().into() }
}

fn status(object: &Value) -> &str {
    let deleting = object.pointer("/metadata/deletionTimestamp").is_some();
    if deleting { "Terminating" } else { string(object, "/status/phase") }
}

fn modes(object: &Value, pointer: &str) -> String {
    let short = list(object, pointer).map(|mode| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        Some("ReadWriteOncePod") => "RWOP",
        _ => "",
    });
    short.collect::<Vec<_>>().join(",")
}
