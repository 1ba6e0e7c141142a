//! What is remembered of claims, volumes, classes, and the pods that use claims. Pure.

use std::collections::{BTreeMap, BTreeSet};

use flumen_quota::Amount;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::facts::Key;

/// A claim in use is not removed.
pub(super) const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";
/// A bound volume is not removed.
pub(super) const VOLUME_PROTECTION: &str = "kubernetes.io/pv-protection";
/// Asks whoever makes volumes for one.
pub(super) const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
/// What a volume is unless it says otherwise.
const FILE_SYSTEM: &str = "Filesystem";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    pub(super) key: Key,
    /// `None` asks for the default class, an empty name for none.
    pub(super) class: Option<String>,
    pub(super) volume: String,
    /// The labels that its volume has.
    pub(super) selector: Option<LabelSelector>,
    /// Whether it is a file system or a device.
    pub(super) form: String,
    pub(super) phase: String,
    pub(super) modes: BTreeSet<String>,
    pub(super) request: Option<Amount>,
    pub(super) asked: Option<String>,
    pub(super) deleting: bool,
    pub(super) protected: bool,
}

/// Whose a volume is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) key: Key,
    /// Empty while nobody but a person has said so.
    pub(super) uid: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Volume {
    pub(super) name: String,
    /// What is written is written only if it still has this version.
    pub(super) version: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) class: String,
    pub(super) form: String,
    pub(super) phase: String,
    pub(super) modes: Vec<String>,
    pub(super) capacity: Option<Amount>,
    /// As they are written, because a claim repeats them.
    pub(super) capacities: BTreeMap<String, Quantity>,
    pub(super) owner: Option<Owner>,
    pub(super) deleting: bool,
    pub(super) protected: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) provisioner: String,
    pub(super) is_default: bool,
    pub(super) at_once: bool,
}

/// A pod, as the claims that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) claims: Vec<Key>,
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn form(mode: Option<&String>) -> String {
    mode.cloned().unwrap_or_else(|| FILE_SYSTEM.to_owned())
}

fn has(finalizers: Option<&Vec<String>>, name: &str) -> bool {
    finalizers.into_iter().flatten().any(|finalizer| finalizer == name)
}

impl From<&core::PersistentVolumeClaim> for Claim {
    fn from(claim: &core::PersistentVolumeClaim) -> Self {
        let metadata = &claim.metadata;
        let spec = claim.spec.as_ref();
        let requests = spec.and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
        let annotations = metadata.annotations.as_ref();
        Self {
            key: Key::new(text(metadata.namespace.as_ref()), text(metadata.name.as_ref())),
            class: spec.and_then(|spec| spec.storage_class_name.clone()),
            volume: text(spec.and_then(|spec| spec.volume_name.as_ref())),
            selector: spec.and_then(|spec| spec.selector.clone()),
            form: form(spec.and_then(|spec| spec.volume_mode.as_ref())),
            phase: text(claim.status.as_ref().and_then(|status| status.phase.as_ref())),
            modes: spec.and_then(|spec| spec.access_modes.clone()).into_iter().flatten().collect(),
            request: requests.and_then(|requests| Amount::parse(&requests.get("storage")?.0)),
            asked: annotations.and_then(|annotations| annotations.get(PROVISIONER).cloned()),
            deleting: metadata.deletion_timestamp.is_some(),
            protected: has(metadata.finalizers.as_ref(), CLAIM_PROTECTION),
        }
    }
}

impl From<&core::PersistentVolume> for Volume {
    fn from(volume: &core::PersistentVolume) -> Self {
        let metadata = &volume.metadata;
        let spec = volume.spec.as_ref();
        let capacities = spec.and_then(|spec| spec.capacity.clone()).unwrap_or_default();
        let owner = spec.and_then(|spec| spec.claim_ref.as_ref()).map(|owner| Owner {
            key: Key::new(text(owner.namespace.as_ref()), text(owner.name.as_ref())),
            uid: text(owner.uid.as_ref()),
        });
        Self {
            name: text(metadata.name.as_ref()),
            version: metadata.resource_version.clone(),
            labels: metadata.labels.clone().unwrap_or_default(),
            class: text(spec.and_then(|spec| spec.storage_class_name.as_ref())),
            form: form(spec.and_then(|spec| spec.volume_mode.as_ref())),
            phase: text(volume.status.as_ref().and_then(|status| status.phase.as_ref())),
            modes: spec.and_then(|spec| spec.access_modes.clone()).unwrap_or_default(),
            capacity: capacities.get("storage").and_then(|amount| Amount::parse(&amount.0)),
            capacities,
            owner,
            deleting: metadata.deletion_timestamp.is_some(),
            protected: has(metadata.finalizers.as_ref(), VOLUME_PROTECTION),
        }
    }
}

impl From<&StorageClass> for Class {
    fn from(class: &StorageClass) -> Self {
        let annotations = class.metadata.annotations.as_ref();
        let default = annotations.and_then(|annotations| annotations.get(DEFAULT_CLASS));
        Self {
            name: text(class.metadata.name.as_ref()),
            provisioner: class.provisioner.clone(),
            is_default: default.is_some_and(|value| value == "true"),
            at_once: class.volume_binding_mode.as_deref() != Some("WaitForFirstConsumer"),
        }
    }
}

impl From<&core::Pod> for User {
    /// A pod that has ended, or that no node has, uses nothing.
    fn from(pod: &core::Pod) -> Self {
        let spec = pod.spec.as_ref();
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let bound = spec.is_some_and(|spec| spec.node_name.is_some());
        let uses = bound && !matches!(phase, Some("Succeeded" | "Failed"));
        let namespace = text(pod.metadata.namespace.as_ref());
        let volumes = spec.and_then(|spec| spec.volumes.as_ref()).into_iter().flatten();
        let claims = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
        let keys = claims.map(|claim| Key::new(namespace.clone(), claim.claim_name.clone()));
        Self { claims: if uses { keys.collect() } else { Vec::new() } }
    }
}

/// What a watch brings of one kind.
#[derive(Debug)]
pub(super) enum Update<F> {
    /// A listing begins.
    Begin,
    Is(String, F),
    Gone(String),
    /// Everything has been listed.
    End,
}

#[derive(Debug)]
pub(super) enum Change {
    Claims(Update<Claim>),
    Volumes(Update<Volume>),
    Classes(Update<Class>),
    Users(Update<User>),
}

/// Objects by uid.
type Objects<F> = BTreeMap<String, F>;

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) claims: Objects<Claim>,
    pub(super) volumes: Objects<Volume>,
    pub(super) classes: Objects<Class>,
    pub(super) users: Objects<User>,
    /// The kinds of which everything is known.
    pub(super) listed: BTreeSet<&'static str>,
}

impl World {
    pub(super) fn take(&mut self, change: Change) {
        match change {
            Change::Claims(update) => take(&mut self.claims, update, &mut self.listed, "claims"),
            Change::Volumes(update) => take(&mut self.volumes, update, &mut self.listed, "volumes"),
            Change::Classes(update) => take(&mut self.classes, update, &mut self.listed, "classes"),
            Change::Users(Update::Is(uid, user)) if user.claims.is_empty() => {
                self.users.remove(&uid);
            }
            Change::Users(update) => take(&mut self.users, update, &mut self.listed, "users"),
        }
    }
}

fn take<F>(
    objects: &mut Objects<F>,
    update: Update<F>,
    listed: &mut BTreeSet<&'static str>,
    kind: &'static str,
) {
    match update {
        // Until the listing is complete nothing is decided: what is missing would seem to be gone.
        Update::Begin => {
            objects.clear();
            listed.remove(kind);
        }
        Update::Is(uid, object) => {
            objects.insert(uid, object);
        }
        Update::Gone(uid) => {
            objects.remove(&uid);
        }
        Update::End => {
            listed.insert(kind);
        }
    }
}
