//! A pod of its own, which ends and is not started again.

use flumen_model::{ClusterId, Namespace};
use futures::{StreamExt, stream::BoxStream};
use k8s_openapi::{
    api::core::v1::{ConfigMap, Pod},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{Api, ResourceExt as _, api::DeleteParams};

use crate::{
    Cause, Cluster, Created, Deletion, Error, LABEL_APP, Observation, create::params,
    delete::deleting, watch::Feed,
};

/// Nobody waits for what the pod would still do.
const GRACE_SECONDS: u32 = 1;

impl Cluster {
    /// Creates a pod, then the ConfigMap that it waits for as its property. Their name must be one that is used once: what
    /// is there already was made by the same call, whose answer was lost.
    ///
    /// # Errors
    /// [`Error::CreateObject`]; the call can be repeated.
    pub async fn create_pod(
        &self,
        namespace: &Namespace,
        pod: &Pod,
        config_map: &ConfigMap,
    ) -> Result<Created, Error> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        let name = pod.name_any();
        let failed = |source| creating("Pod", namespace, &name, source);
        let create = self.change("k8s.create-pod", pods.create(&params(), pod)).await;
        let (made, existed) = match create {
            Ok(made) => (made, false),
            Err(cause) if cause.is_already_exists() => {
                (self.read(|| pods.get(&name)).await.map_err(failed)?, true)
            }
            Err(cause) => return Err(failed(cause)),
        };
        let no_uid = || Cause::Build { problem: "the API server gave it no uid".to_owned() };
        let uid = made.metadata.uid.ok_or_else(no_uid).map_err(failed)?;
        let owner = OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: name.clone(),
            uid: uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        };
        let mut owned = config_map.clone();
        owned.metadata.owner_references = Some(vec![owner]);
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace.as_str());
        let create = config_maps.create(&params(), &owned);
        match self.change("k8s.create-config-map", create).await {
            Ok(_) => {}
            Err(cause) if cause.is_already_exists() => {}
            Err(cause) => return Err(creating("ConfigMap", namespace, &owned.name_any(), cause)),
        }
        Ok(Created { uid, existed })
    }

    /// Reports the pods that have this value in the label of Flink's cluster id, for ever: first what is there, then what
    /// changes. Dropping the stream ends it.
    pub fn watch_pods_of(
        &self,
        namespace: &Namespace,
        id: &ClusterId,
    ) -> BoxStream<'static, Observation> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        Feed::new(self.clone(), pods, format!("{LABEL_APP}={id}")).stream().boxed()
    }

    /// Deletes a pod. One that is gone already is fine.
    ///
    /// # Errors
    /// [`Error::DeleteObject`].
    pub async fn delete_pod(&self, namespace: &Namespace, name: &str) -> Result<Deletion, Error> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        let delete = DeleteParams::background().grace_period(GRACE_SECONDS);
        match self.change("k8s.delete-pod", pods.delete(name, &delete)).await {
            Ok(_) => Ok(Deletion::Underway),
            Err(cause) if cause.is_not_found() => Ok(Deletion::Gone),
            Err(cause) => Err(deleting("Pod", namespace, name, cause)),
        }
    }
}

fn creating(what: &str, namespace: &Namespace, name: &str, source: Cause) -> Error {
    Error::CreateObject { what: what.to_owned(), name: format!("{namespace}/{name}"), source }
}
