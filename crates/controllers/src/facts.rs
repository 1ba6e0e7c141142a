//! What the controllers remember of an object: only the fields that can change a decision, so that equality is change detection
//! and ten thousand pods stay cheap.

mod node;
mod pod;
mod service;
mod taint;
mod workload;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ResourceQuotaSpec;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub(crate) use node::{Node, Ready};
pub(crate) use pod::{Constraints, Phase, Pod};
pub(crate) use service::{Service, ServicePort, TargetPort, endpoints_digest};
pub(crate) use taint::{NO_EXECUTE, NO_SCHEDULE, PREFER_NO_SCHEDULE, Toleration, is_tolerated};
pub(crate) use workload::{Deployment, ReplicaSet, Strategy, is_inherited};

use crate::kinds::Kind;

/// The label by which a Deployment tells its replica sets apart.
pub(crate) const TEMPLATE_HASH: &str = "pod-template-hash";
/// The annotation that numbers the revisions of a Deployment.
pub(crate) const REVISION: &str = "deployment.kubernetes.io/revision";
/// The revisions that a replica set had before, with commas between them.
pub(crate) const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// How many replicas the Deployment wanted when a replica set was last scaled.
pub(crate) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// How many pods there could be at the most then.
pub(crate) const MOST: &str = "deployment.kubernetes.io/max-replicas";

/// The identity of one object; never used again for another one.
pub(crate) type Uid = Arc<str>;

/// Namespace and name; the namespace of a cluster-wide object is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// One object of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    pub(crate) uid: Uid,
    pub(crate) kind: Kind,
    pub(crate) key: Key,
    /// The resource version as a number, 0 if it is none.
    pub(crate) version: u64,
    pub(crate) owners: Vec<Owner>,
    /// It has a deletion timestamp.
    pub(crate) deleting: bool,
    /// It has the finalizer of a foreground deletion.
    pub(crate) foreground: bool,
    /// It has the finalizer of a deletion that orphans the dependents.
    pub(crate) orphan: bool,
    pub(crate) facts: Facts,
}

/// An owner reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: Uid,
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) controller: bool,
    /// A foreground deletion of the owner waits for this object.
    pub(crate) blocking: bool,
}

/// What is remembered beyond the metadata.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Facts {
    /// Nothing: the object matters only as owner, dependent and content of a namespace.
    Plain,
    Pod(Box<Pod>),
    ReplicaSet(Box<ReplicaSet>),
    Deployment(Box<Deployment>),
    Service(Box<Service>),
    /// The digest of the addresses and labels, and whether the endpoints controller made it.
    Endpoints {
        digest: u64,
        ours: bool,
    },
    /// A slice of the controller that makes them, without what does not matter to it.
    Slice(Box<EndpointSlice>),
    /// What a quota limits, and what its status says that it limits.
    Quota {
        spec: Option<Box<ResourceQuotaSpec>>,
        hard: BTreeMap<String, Quantity>,
    },
    Node(Box<Node>),
    /// Whether it is being deleted and still has the finalizer `kubernetes`.
    Namespace {
        finalize: bool,
    },
    Claim {
        /// It has its volume.
        bound: bool,
        class: Option<String>,
    },
    StorageClass {
        /// Its claims get no volume before a pod uses them.
        waits_for_pod: bool,
    },
}

/// The finalizer of a foreground deletion.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of a deletion that leaves the dependents.
pub(crate) const ORPHAN: &str = "orphan";

impl Object {
    /// `None` for an object without uid or name, which no API server sends.
    pub(crate) fn new(kind: Kind, metadata: &ObjectMeta, facts: Facts) -> Option<Self> {
        let has =
            |finalizer: &str| metadata.finalizers.iter().flatten().any(|known| known == finalizer);
        Some(Self {
            uid: metadata.uid.as_deref()?.into(),
            kind,
            key: Key::new(metadata.namespace.clone().unwrap_or_default(), metadata.name.clone()?),
            version: metadata
                .resource_version
                .as_deref()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
            owners: metadata.owner_references.iter().flatten().map(Owner::from).collect(),
            deleting: metadata.deletion_timestamp.is_some(),
            foreground: has(FOREGROUND),
            orphan: has(ORPHAN),
            facts,
        })
    }

    /// One that nobody owns and nobody deletes, as tests want it.
    #[cfg(test)]
    pub(crate) fn bare(kind: Kind, key: Key, facts: Facts) -> Self {
        Self {
            uid: key.name.as_str().into(),
            kind,
            key,
            version: 1,
            owners: Vec::new(),
            deleting: false,
            foreground: false,
            orphan: false,
            facts,
        }
    }

    /// The same with an owner that controls it, as tests want it, too.
    #[cfg(test)]
    pub(crate) fn owned_by(self, (api_version, kind): (&str, &str), name: &str) -> Self {
        let owner = Owner {
            uid: name.into(),
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            controller: true,
            blocking: true,
        };
        Self { owners: vec![owner], ..self }
    }

    /// The owner that manages this object.
    pub(crate) fn controller(&self) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.controller)
    }

    pub(crate) fn pod(&self) -> Option<&Pod> {
        if let Facts::Pod(pod) = &self.facts { Some(pod) } else { None }
    }

    pub(crate) fn replica_set(&self) -> Option<&ReplicaSet> {
        if let Facts::ReplicaSet(set) = &self.facts { Some(set) } else { None }
    }

    pub(crate) fn deployment(&self) -> Option<&Deployment> {
        if let Facts::Deployment(deployment) = &self.facts { Some(deployment) } else { None }
    }

    /// The labels, of what selectors select.
    pub(crate) fn labels(&self) -> Option<&BTreeMap<String, String>> {
        match &self.facts {
            Facts::Pod(pod) => Some(&pod.labels),
            Facts::ReplicaSet(set) => Some(&set.labels),
            _ => None,
        }
    }

    pub(crate) fn service(&self) -> Option<&Service> {
        if let Facts::Service(service) = &self.facts { Some(service) } else { None }
    }

    /// Why its label selector cannot be read, if so.
    pub(crate) fn unreadable(&self) -> Option<&String> {
        match &self.facts {
            Facts::ReplicaSet(set) => set.selector.as_ref().err(),
            Facts::Deployment(deployment) => deployment.selector.as_ref().err(),
            _ => None,
        }
    }

    /// The service that a slice is of.
    pub(crate) fn service_of_slice(&self) -> Option<Key> {
        let Facts::Slice(slice) = &self.facts else { return None };
        let name = slice.metadata.labels.as_ref()?.get(crate::slices::SERVICE)?;
        Some(Key::new(&*self.key.namespace, name.as_str()))
    }

    pub(crate) fn node(&self) -> Option<&Node> {
        if let Facts::Node(node) = &self.facts { Some(node) } else { None }
    }

    /// A pod that still counts: neither ended nor being deleted.
    pub(crate) fn is_active_pod(&self) -> bool {
        !self.deleting && self.pod().is_some_and(|pod| !pod.phase.is_final())
    }
}

impl From<&k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference> for Owner {
    fn from(reference: &k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference) -> Self {
        Self {
            uid: reference.uid.as_str().into(),
            api_version: reference.api_version.clone(),
            kind: reference.kind.clone(),
            name: reference.name.clone(),
            controller: reference.controller.unwrap_or(false),
            blocking: reference.block_owner_deletion.unwrap_or(false),
        }
    }
}

/// FNV-1a: stable over builds and machines, which labels and comparisons need.
pub(crate) fn fnv64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
