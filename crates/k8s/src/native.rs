//! What stands of a native cluster, looked for by name as Flink's client does.

use std::collections::BTreeMap;

use flumen_model::Namespace;
use k8s_openapi::{
    ByteString,
    api::{
        apps::v1::Deployment,
        core::v1::{Node, Secret, Service, ServiceAccount},
    },
};
use kube::{Api, api::ListParams};

use crate::{Cluster, Error};

/// The Service of a JobManager's REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestService {
    /// `ClusterIP`, `NodePort` or `LoadBalancer`.
    pub kind: String,
    /// The Service's port.
    pub port: u16,
    /// The port that every node has for it, where it has one.
    pub node_port: Option<u16>,
    /// Address or host name of the load balancer, where there is one yet.
    pub ingress: Option<String>,
}

/// What is in a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretContent {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its entries that are text.
    pub entries: BTreeMap<String, flumen_model::Secret>,
}

/// An address of a node that takes pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAddress {
    /// For example `InternalIP`.
    pub kind: String,
    /// The address.
    pub address: String,
}

impl Cluster {
    /// The Service `CLUSTER-rest`, if it is there.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn rest_service(
        &self,
        namespace: &Namespace,
        cluster_id: &str,
    ) -> Result<Option<RestService>, Error> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), namespace.as_str());
        let name = format!("{cluster_id}-rest");
        let found = self.read(|| services.get_opt(&name)).await;
        let found = found.map_err(|source| Error::ReadObject {
            what: "Service",
            name: format!("{namespace}/{name}"),
            source,
        })?;
        Ok(found.map(reduce))
    }

    /// The uid of the Deployment of this name, if it is there.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn deployment_uid(
        &self,
        namespace: &Namespace,
        name: &str,
    ) -> Result<Option<String>, Error> {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace.as_str());
        let found = self.read(|| deployments.get_metadata_opt(name)).await;
        let found = found.map_err(|source| Error::ReadObject {
            what: "Deployment",
            name: format!("{namespace}/{name}"),
            source,
        })?;
        Ok(found.map(|found| found.metadata.uid.unwrap_or_default()))
    }

    /// Whether there is a Secret of this name. Its content is not asked for.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn has_secret(&self, namespace: &Namespace, name: &str) -> Result<bool, Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace.as_str());
        let found = self.read(|| secrets.get_metadata_opt(name)).await;
        let found = found.map_err(|source| Error::ReadObject {
            what: "Secret",
            name: format!("{namespace}/{name}"),
            source,
        })?;
        Ok(found.is_some())
    }

    /// Whether pods of a service account pull their images with a Secret that the account names.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn pulls_with_secrets(
        &self,
        namespace: &Namespace,
        account: &str,
    ) -> Result<bool, Error> {
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.client.clone(), namespace.as_str());
        let found = self.read(|| accounts.get_opt(account)).await;
        let found = found.map_err(|source| Error::ReadObject {
            what: "ServiceAccount",
            name: format!("{namespace}/{account}"),
            source,
        })?;
        Ok(found.and_then(|it| it.image_pull_secrets).is_some_and(|secrets| !secrets.is_empty()))
    }

    /// What is in a Secret, as far as it is text; none if it is not there.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn secret(
        &self,
        namespace: &Namespace,
        name: &str,
    ) -> Result<Option<SecretContent>, Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace.as_str());
        let found = self.read(|| secrets.get_opt(name)).await;
        let found = found.map_err(|source| Error::ReadObject {
            what: "Secret",
            name: format!("{namespace}/{name}"),
            source,
        })?;
        let text = |(entry, bytes): (String, ByteString)| {
            let text = String::from_utf8(bytes.0).ok()?;
            Some((entry, flumen_model::Secret::new(text)))
        };
        Ok(found.map(|found| SecretContent {
            labels: found.metadata.labels.unwrap_or_default(),
            entries: found.data.unwrap_or_default().into_iter().filter_map(text).collect(),
        }))
    }

    /// The addresses of the nodes that take pods.
    ///
    /// # Errors
    /// [`Error::ListObjects`].
    pub async fn node_addresses(&self) -> Result<Vec<NodeAddress>, Error> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let all = ListParams::default();
        let found = self.read(|| nodes.list(&all)).await;
        let found = found.map_err(|source| Error::ListObjects {
            what: "nodes",
            namespace: String::new(),
            cluster_id: self.name.to_string(),
            source,
        })?;
        let takes_pods = |node: &Node| {
            !node.spec.as_ref().is_some_and(|spec| spec.unschedulable.unwrap_or_default())
        };
        let addresses =
            found.items.into_iter().filter(takes_pods).flat_map(|node| {
                node.status.and_then(|status| status.addresses).into_iter().flatten()
            });
        Ok(addresses.map(|one| NodeAddress { kind: one.type_, address: one.address }).collect())
    }
}

fn reduce(service: Service) -> RestService {
    let spec = service.spec.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    let rest = ports.iter().find(|port| port.name.as_deref() == Some("rest")).or(ports.first());
    let ingress = service
        .status
        .and_then(|status| status.load_balancer)
        .and_then(|balancer| balancer.ingress)
        .and_then(|all| all.into_iter().next())
        .and_then(|first| first.ip.or(first.hostname));
    let number = |port: i32| u16::try_from(port).ok();
    RestService {
        kind: spec.type_.unwrap_or_else(|| "ClusterIP".to_owned()),
        port: rest.and_then(|port| number(port.port)).unwrap_or(8081),
        node_port: rest.and_then(|port| port.node_port).and_then(number),
        ingress,
    }
}
