//! What else a cluster must have for jobs to run in it.

use flumen_cluster::quota::Quota;
use flumen_model::{Kind, Namespace};
use k8s_openapi::{
    api::{
        core::v1::{Namespace as NamespaceObject, ResourceQuota, Service},
        discovery::v1::EndpointSlice,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use kube::{Api, api::ListParams};

use crate::{Cluster, Error};

/// Where clusters have their DNS, by the label that all of its implementations keep.
const DNS_NAMESPACE: &str = "kube-system";
const DNS_LABEL: &str = "k8s-app=kube-dns";

/// What is to be seen of a cluster's DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsSeen {
    /// Its Service has endpoints that are ready.
    Ready {
        /// The Service, with its namespace.
        service: String,
        /// How many.
        endpoints: usize,
    },
    /// Its Service has none.
    NoEndpoints {
        /// The Service, with its namespace.
        service: String,
    },
    /// There is no such Service. Nodes may have a DNS of their own.
    NoService,
    /// Flumen may not look.
    Hidden,
}

impl Cluster {
    /// Looks for the cluster's DNS.
    ///
    /// # Errors
    /// [`Error::ListObjects`].
    pub async fn dns(&self) -> Result<DnsSeen, Error> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), DNS_NAMESPACE);
        let labelled = ListParams::default().labels(DNS_LABEL);
        let found = self.read(|| services.list(&labelled)).await;
        let listing = |what, source| Error::ListObjects {
            what,
            namespace: DNS_NAMESPACE.to_owned(),
            cluster_id: "the cluster's DNS".to_owned(),
            source,
        };
        let found = match found {
            Ok(found) => found,
            Err(cause) if cause.kind() == Kind::Denied => return Ok(DnsSeen::Hidden),
            Err(cause) => return Err(listing("Services", cause)),
        };
        let Some(name) = found.items.into_iter().find_map(|one| one.metadata.name) else {
            return Ok(DnsSeen::NoService);
        };
        let slices: Api<EndpointSlice> = Api::namespaced(self.client.clone(), DNS_NAMESPACE);
        let of_it = ListParams::default().labels(&format!("kubernetes.io/service-name={name}"));
        let service = format!("{DNS_NAMESPACE}/{name}");
        let slices = match self.read(|| slices.list(&of_it)).await {
            Ok(slices) => slices,
            Err(cause) if cause.kind() == Kind::Denied => return Ok(DnsSeen::Hidden),
            Err(cause) => return Err(listing("EndpointSlices", cause)),
        };
        let endpoints = slices.items.into_iter().flat_map(|slice| slice.endpoints);
        let ready = endpoints.filter(|one| {
            one.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
        });
        Ok(match ready.count() {
            0 => DnsSeen::NoEndpoints { service },
            endpoints => DnsSeen::Ready { service, endpoints },
        })
    }

    /// Whether the namespace is there.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn has_namespace(&self, namespace: &Namespace) -> Result<bool, Error> {
        let namespaces: Api<NamespaceObject> = Api::all(self.client.clone());
        let found = self.read(|| namespaces.get_metadata_opt(namespace.as_str())).await;
        found.map(|found| found.is_some()).map_err(|source| Error::ReadObject {
            what: "Namespace",
            name: namespace.to_string(),
            source,
        })
    }

    /// The quotas of a namespace.
    ///
    /// # Errors
    /// [`Error::ListObjects`].
    pub async fn quotas(&self, namespace: &Namespace) -> Result<Vec<Quota>, Error> {
        let quotas: Api<ResourceQuota> = Api::namespaced(self.client.clone(), namespace.as_str());
        let all = ListParams::default();
        let found = self.read(|| quotas.list(&all)).await;
        let found = found.map_err(|source| Error::ListObjects {
            what: "ResourceQuotas",
            namespace: namespace.to_string(),
            cluster_id: "all jobs".to_owned(),
            source,
        })?;
        Ok(found.items.into_iter().map(reduce).collect())
    }
}

fn reduce(quota: ResourceQuota) -> Quota {
    let spec = quota.spec.unwrap_or_default();
    let status = quota.status.unwrap_or_default();
    let texts = |amounts: Option<std::collections::BTreeMap<String, Quantity>>| {
        amounts.unwrap_or_default().into_iter().map(|(key, amount)| (key, amount.0)).collect()
    };
    Quota {
        name: quota.metadata.name.unwrap_or_default(),
        scoped: spec.scope_selector.is_some() || spec.scopes.is_some_and(|all| !all.is_empty()),
        hard: texts(spec.hard.or(status.hard)),
        used: texts(status.used),
    }
}
