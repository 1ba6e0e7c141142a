//! From objects on the wire to facts.

use std::borrow::Cow;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{
    Endpoints, Namespace, Node, PersistentVolumeClaim, Pod, ResourceQuota, Service,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, endpoints_digest};
use crate::kinds::Kind;

/// A kind that is remembered with more than its metadata.
pub(crate) trait Reduce: Resource {
    const KIND: Kind;
    fn facts(&self) -> Facts;
}

impl Reduce for Pod {
    const KIND: Kind = Kind::Pod;
    fn facts(&self) -> Facts {
        Facts::Pod(Box::new(self.into()))
    }
}

impl Reduce for ReplicaSet {
    const KIND: Kind = Kind::ReplicaSet;
    fn facts(&self) -> Facts {
        Facts::ReplicaSet(Box::new(self.into()))
    }
}

impl Reduce for Deployment {
    const KIND: Kind = Kind::Deployment;
    fn facts(&self) -> Facts {
        Facts::Deployment(Box::new(self.into()))
    }
}

impl Reduce for Service {
    const KIND: Kind = Kind::Service;
    fn facts(&self) -> Facts {
        Facts::Service(Box::new(self.into()))
    }
}

impl Reduce for Endpoints {
    const KIND: Kind = Kind::Endpoints;
    fn facts(&self) -> Facts {
        let labels = self.metadata.labels.as_ref();
        let ours = labels
            .and_then(|labels| labels.get(crate::endpoints::MANAGED_BY))
            .is_some_and(|by| by == crate::endpoints::MANAGER);
        Facts::Endpoints { digest: endpoints_digest(self), ours }
    }
}

impl Reduce for EndpointSlice {
    const KIND: Kind = Kind::EndpointSlice;
    fn facts(&self) -> Facts {
        let labels = self.metadata.labels.as_ref();
        let by = labels.and_then(|labels| labels.get(crate::slices::MANAGED_BY));
        if by.is_none_or(|by| by != crate::slices::MANAGER) {
            return Facts::Plain;
        }
        let mut slice = self.clone();
        slice.metadata.managed_fields = None;
        Facts::Slice(Box::new(slice))
    }
}

impl Reduce for ResourceQuota {
    const KIND: Kind = Kind::Quota;
    fn facts(&self) -> Facts {
        let hard = self.status.as_ref().and_then(|status| status.hard.clone());
        Facts::Quota { spec: self.spec.clone().map(Box::new), hard: hard.unwrap_or_default() }
    }
}

impl Reduce for Node {
    const KIND: Kind = Kind::Node;
    fn facts(&self) -> Facts {
        Facts::Node(Box::new(self.into()))
    }
}

impl Reduce for Namespace {
    const KIND: Kind = Kind::Namespace;
    fn facts(&self) -> Facts {
        let finalizers = self.spec.iter().flat_map(|spec| spec.finalizers.iter().flatten());
        Facts::Namespace {
            finalize: finalizers
                .into_iter()
                .any(|finalizer| finalizer == crate::namespace::FINALIZER),
        }
    }
}

impl Reduce for PersistentVolumeClaim {
    const KIND: Kind = Kind::Claim;
    fn facts(&self) -> Facts {
        let phase = self.status.as_ref().and_then(|status| status.phase.as_deref());
        let class = self.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
        Facts::Claim { bound: phase == Some("Bound"), class }
    }
}

impl Reduce for StorageClass {
    const KIND: Kind = Kind::StorageClass;
    fn facts(&self) -> Facts {
        let mode = self.volume_binding_mode.as_deref();
        Facts::StorageClass { waits_for_pod: mode == Some("WaitForFirstConsumer") }
    }
}

/// Any object, of which only the metadata is read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Bare {
    #[serde(default)]
    pub(crate) metadata: ObjectMeta,
}

impl Resource for Bare {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
