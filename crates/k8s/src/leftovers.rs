use flumen_model::{ClusterId, Namespace};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod, Service},
};
use kube::{Api, api::ListParams};

use crate::{
    Cause, Cluster, DeploymentSeen, Error, LABEL_APP, LABEL_TYPE, NATIVE_TYPE, PodSeen,
    is_ha_config_map, reduce,
};

/// What is in the cluster of a Flink cluster id. A new run may start only where this is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Its Deployment.
    pub deployment: Option<DeploymentSeen>,
    /// Its pods.
    pub pods: Vec<PodSeen>,
    /// Its Services.
    pub services: Vec<String>,
    /// The ConfigMaps of its high availability: an earlier run's state is in them.
    pub ha_config_maps: Vec<String>,
}

impl Leftovers {
    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.deployment.is_none()
            && self.pods.is_empty()
            && self.services.is_empty()
            && self.ha_config_maps.is_empty()
    }
}

impl Cluster {
    /// The Deployment of a Flink cluster; none if there is none.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn deployment(
        &self,
        namespace: &Namespace,
        cluster_id: &ClusterId,
    ) -> Result<Option<DeploymentSeen>, Error> {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace.as_str());
        let found = self.read(|| deployments.get_opt(cluster_id.as_str())).await;
        let found = found.map_err(|source| Error::ReadObject {
            what: "Deployment",
            name: format!("{namespace}/{cluster_id}"),
            source,
        })?;
        Ok(found.as_ref().map(|found| reduce::deployment(found, cluster_id.clone())))
    }

    /// The pods of a Flink cluster, JobManagers and TaskManagers, sorted by name.
    ///
    /// # Errors
    /// [`Error::ListObjects`].
    pub async fn pods_of(
        &self,
        namespace: &Namespace,
        cluster_id: &ClusterId,
    ) -> Result<Vec<PodSeen>, Error> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        let selector = of(cluster_id);
        let found = self.read(|| pods.list(&selector)).await;
        let found = found.map_err(|cause| listing("pods", namespace, cluster_id, cause))?;
        let mut seen: Vec<_> =
            found.iter().map(|pod| reduce::pod(pod, cluster_id.clone())).collect();
        seen.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(seen)
    }

    /// The names of the ConfigMaps in which JobManagers of this cluster id keep leader and state, sorted.
    ///
    /// # Errors
    /// [`Error::ListObjects`].
    pub async fn config_maps_of_ha(
        &self,
        namespace: &Namespace,
        cluster_id: &ClusterId,
    ) -> Result<Vec<String>, Error> {
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace.as_str());
        let selector = of(cluster_id);
        let found = self.read(|| config_maps.list_metadata(&selector)).await;
        let found = found.map_err(|cause| listing("ConfigMaps", namespace, cluster_id, cause))?;
        let mut names: Vec<_> = found
            .into_iter()
            // What the Deployment owns goes with it; the ConfigMaps of high availability have no owner.
            .filter(|found| found.metadata.owner_references.as_deref().unwrap_or(&[]).is_empty())
            .filter_map(|found| found.metadata.name)
            .filter(|name| is_ha_config_map(cluster_id, name))
            .collect();
        names.sort();
        Ok(names)
    }

    /// What is there of a cluster id, of whatever run.
    ///
    /// # Errors
    /// [`Error::ReadObject`], [`Error::ListObjects`].
    pub async fn leftovers(
        &self,
        namespace: &Namespace,
        cluster_id: &ClusterId,
    ) -> Result<Leftovers, Error> {
        Ok(Leftovers {
            deployment: self.deployment(namespace, cluster_id).await?,
            pods: self.pods_of(namespace, cluster_id).await?,
            services: self.services_of(namespace, cluster_id).await?,
            ha_config_maps: self.config_maps_of_ha(namespace, cluster_id).await?,
        })
    }

    async fn services_of(
        &self,
        namespace: &Namespace,
        cluster_id: &ClusterId,
    ) -> Result<Vec<String>, Error> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), namespace.as_str());
        let selector = of(cluster_id);
        let found = self.read(|| services.list(&selector)).await;
        let found = found.map_err(|cause| listing("Services", namespace, cluster_id, cause))?;
        let mut names: Vec<_> = found.into_iter().filter_map(|found| found.metadata.name).collect();
        names.sort();
        Ok(names)
    }
}

fn of(cluster_id: &ClusterId) -> ListParams {
    ListParams::default().labels(&format!("{LABEL_APP}={cluster_id},{LABEL_TYPE}={NATIVE_TYPE}"))
}

fn listing(
    what: &'static str,
    namespace: &Namespace,
    cluster_id: &ClusterId,
    source: Cause,
) -> Error {
    Error::ListObjects {
        what,
        namespace: namespace.to_string(),
        cluster_id: cluster_id.to_string(),
        source,
    }
}
