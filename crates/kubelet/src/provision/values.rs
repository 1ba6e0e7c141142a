//! What is made of a claim, and what of a volume is to be removed. Pure.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use k8s_openapi::{
    api::{
        core::v1::{
            HostPathVolumeSource, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
            ObjectReference, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec,
            VolumeNodeAffinity,
        },
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use crate::volumes::LONGEST_NAME;

/// The name of the class, which is the default one.
pub(super) const CLASS: &str = "local-path";
const PROVISIONER: &str = "flumen.dev/local-path";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
const ASKED: &str = "volume.kubernetes.io/storage-provisioner";
const MADE_BY: &str = "pv.kubernetes.io/provisioned-by";
const HOSTNAME: &str = "kubernetes.io/hostname";
const FILE_SYSTEM: &str = "Filesystem";

/// The class of this node's volumes.
pub(super) fn class() -> StorageClass {
    StorageClass {
        metadata: ObjectMeta {
            name: Some(CLASS.to_owned()),
            annotations: Some(one(DEFAULT_CLASS, "true")),
            ..ObjectMeta::default()
        },
        provisioner: PROVISIONER.to_owned(),
        ..StorageClass::default()
    }
}

fn one(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

/// Whether the claim asks for a volume of ours, has none, and can have one: of directories that already have what a
/// selector wants there are none, and a directory is no device.
pub(super) fn waits(claim: &PersistentVolumeClaim) -> bool {
    let asked = claim.metadata.annotations.as_ref().and_then(|annotations| annotations.get(ASKED));
    let can_have = claim.spec.as_ref().is_some_and(|spec| {
        spec.volume_name.as_deref().unwrap_or_default().is_empty()
            && spec.selector.is_none()
            && spec.volume_mode.as_deref().is_none_or(|mode| mode == FILE_SYSTEM)
    });
    asked.is_some_and(|asked| asked == PROVISIONER)
        && can_have
        && claim.metadata.deletion_timestamp.is_none()
}

/// Name of the volume for a claim, and its directory below the one of all volumes.
pub(super) fn place(claim: &PersistentVolumeClaim, volumes: &Path) -> (String, PathBuf) {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let metadata = &claim.metadata;
    let name = format!("pvc-{}", text(&metadata.uid));
    let directory = format!("{name}_{}_{}", text(&metadata.namespace), text(&metadata.name));
    let directory: String = directory.chars().take(LONGEST_NAME).collect();
    (name, volumes.join(directory))
}

/// The volume for a claim, as its class wants it.
pub(super) fn volume(
    claim: &PersistentVolumeClaim,
    class: StorageClass,
    nodes: &[String],
    volumes: &Path,
) -> PersistentVolume {
    let (name, path) = place(claim, volumes);
    let spec = claim.spec.clone().unwrap_or_default();
    let requests = spec.resources.and_then(|resources| resources.requests);
    let storage = requests.and_then(|requests| requests.get_key_value("storage").map(owned));
    let here = NodeSelectorRequirement {
        key: HOSTNAME.to_owned(),
        operator: "In".to_owned(),
        values: Some(nodes.to_vec()),
    };
    let term =
        NodeSelectorTerm { match_expressions: Some(vec![here]), ..NodeSelectorTerm::default() };
    PersistentVolume {
        metadata: ObjectMeta {
            name: Some(name),
            annotations: Some(one(MADE_BY, PROVISIONER)),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: spec.access_modes,
            // A claim may request more than a volume can say of itself.
            capacity: storage.map(|storage| BTreeMap::from([storage])),
            claim_ref: Some(ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("PersistentVolumeClaim".to_owned()),
                name: claim.metadata.name.clone(),
                namespace: claim.metadata.namespace.clone(),
                uid: claim.metadata.uid.clone(),
                ..ObjectReference::default()
            }),
            host_path: Some(HostPathVolumeSource {
                path: path.display().to_string(),
                type_: Some("DirectoryOrCreate".to_owned()),
            }),
            mount_options: class.mount_options,
            node_affinity: Some(VolumeNodeAffinity {
                required: Some(NodeSelector { node_selector_terms: vec![term] }),
            }),
            persistent_volume_reclaim_policy: class
                .reclaim_policy
                .or_else(|| Some("Delete".to_owned())),
            storage_class_name: spec.storage_class_name,
            volume_mode: Some(FILE_SYSTEM.to_owned()),
            ..PersistentVolumeSpec::default()
        }),
        status: None,
    }
}

fn owned<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

/// Name and directory of a volume of ours that nobody claims any more. A directory that is not one of ours, whatever
/// the object says, is never touched.
pub(super) fn to_remove(volume: &PersistentVolume, directory: &Path) -> Option<(String, PathBuf)> {
    let name = volume.metadata.name.clone()?;
    let spec = volume.spec.as_ref()?;
    let released = volume.status.as_ref()?.phase.as_deref() == Some("Released");
    let ours = volume.metadata.annotations.as_ref()?.get(MADE_BY)? == PROVISIONER;
    let delete = spec.persistent_volume_reclaim_policy.as_deref() == Some("Delete");
    let path = PathBuf::from(&spec.host_path.as_ref()?.path);
    let inside = path.parent() == Some(directory)
        && path.file_name()?.to_str()?.starts_with(&format!("{name}_"));
    (released && ours && delete && inside).then_some((name, path))
}

#[cfg(test)]
mod tests;
