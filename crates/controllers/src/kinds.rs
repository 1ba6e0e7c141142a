//! The kinds of objects that the API server has, as its discovery tells them.

use kube::Client;
use kube::core::ApiResource;
use kube::discovery::{ApiCapabilities, Discovery, Scope, verbs};

use crate::Error;

/// A kind of object. The named ones are those that a controller reduces or asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Namespace,
    Node,
    Pod,
    Service,
    Endpoints,
    EndpointSlice,
    Quota,
    ReplicaSet,
    Deployment,
    ServiceAccount,
    ConfigMap,
    Claim,
    StorageClass,
    Lease,
    /// Any other, by its place in [`Kinds`].
    Other(u16),
}

impl Kind {
    /// Whether the scheduler looks at such objects.
    pub(crate) fn matters_to_scheduler(self) -> bool {
        matches!(self, Self::Pod | Self::Node | Self::Claim | Self::StorageClass)
    }
}

#[derive(Debug)]
pub(crate) struct Kinds {
    entries: Vec<Entry>,
    /// What a namespace that is being deleted is emptied of; more than is watched.
    contents: Vec<ApiResource>,
}

#[derive(Debug)]
struct Entry {
    kind: Kind,
    resource: ApiResource,
    namespaced: bool,
}

impl Kinds {
    /// Asks the API server.
    pub(crate) async fn discover(client: &Client) -> Result<Self, Error> {
        let found = Discovery::new(client.clone())
            .run()
            .await
            .map_err(|source| Error::ListKinds(Box::new(source)))?;
        Ok(Self::new(found.groups().flat_map(kube::discovery::ApiGroup::recommended_resources)))
    }

    pub(crate) fn new(resources: impl Iterator<Item = (ApiResource, ApiCapabilities)>) -> Self {
        let mut kinds = Self { entries: Vec::new(), contents: Vec::new() };
        for (resource, capabilities) in resources {
            let can = |verb: &str| capabilities.supports_operation(verb);
            let namespaced = capabilities.scope == Scope::Namespaced;
            if namespaced && can(verbs::LIST) && can(verbs::DELETE) {
                kinds.contents.push(resource.clone());
            }
            // Events own nothing, are owned by nothing, and there are many of them.
            if can(verbs::LIST)
                && can(verbs::WATCH)
                && can(verbs::DELETE)
                && resource.kind != "Event"
            {
                let place = u16::try_from(kinds.entries.len()).unwrap_or(u16::MAX);
                let kind = named(&resource.group, &resource.kind).unwrap_or(Kind::Other(place));
                kinds.entries.push(Entry { kind, resource, namespaced });
            }
        }
        kinds
    }

    /// What is watched.
    pub(crate) fn watched(&self) -> impl Iterator<Item = (Kind, &ApiResource)> {
        self.entries.iter().map(|entry| (entry.kind, &entry.resource))
    }

    /// What a namespace may contain.
    pub(crate) fn contents(&self) -> &[ApiResource] {
        &self.contents
    }

    /// How to reach objects of `kind`, and whether they are in namespaces.
    pub(crate) fn resource(&self, kind: Kind) -> Option<(&ApiResource, bool)> {
        let entry = self.entries.iter().find(|entry| entry.kind == kind)?;
        Some((&entry.resource, entry.namespaced))
    }

    /// The kind that an owner reference means; `None` if the API server has no such kind.
    pub(crate) fn of_reference(&self, api_version: &str, kind: &str) -> Option<Kind> {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.resource.group == group && entry.resource.kind == kind)?;
        Some(entry.kind)
    }
}

fn named(group: &str, kind: &str) -> Option<Kind> {
    Some(match (group, kind) {
        ("", "Namespace") => Kind::Namespace,
        ("", "Node") => Kind::Node,
        ("", "Pod") => Kind::Pod,
        ("", "Service") => Kind::Service,
        ("", "Endpoints") => Kind::Endpoints,
        ("", "ResourceQuota") => Kind::Quota,
        ("discovery.k8s.io", "EndpointSlice") => Kind::EndpointSlice,
        ("", "ServiceAccount") => Kind::ServiceAccount,
        ("", "ConfigMap") => Kind::ConfigMap,
        ("", "PersistentVolumeClaim") => Kind::Claim,
        ("storage.k8s.io", "StorageClass") => Kind::StorageClass,
        ("coordination.k8s.io", "Lease") => Kind::Lease,
        ("apps", "ReplicaSet") => Kind::ReplicaSet,
        ("apps", "Deployment") => Kind::Deployment,
        _ => return None,
    })
}
