use flumen_model::{Namespace, RunId};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::{
    Api,
    api::{DeleteParams, Preconditions},
};

use crate::{Cause, Cluster, Error, create::owner_text};

/// Which Deployment of a name is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// The one that carries this run.
    Run(RunId),
    /// The one with this uid.
    Uid(String),
    /// Whatever there is, as the drop-ins do.
    Any,
}

/// How far a deletion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is not there any more.
    Gone,
    /// It is marked; it goes when everything it owns has gone.
    Underway,
}

impl Cluster {
    /// Deletes the Deployment of a Flink cluster, and with it what it owns (foreground: the Deployment is
    /// there until all its pods are gone). One that is gone already is fine.
    ///
    /// # Errors
    /// [`Error::DeploymentTaken`] if the one that is there is not the one that is meant.
    pub async fn delete_deployment(
        &self,
        namespace: &Namespace,
        cluster_id: &(impl AsRef<str> + Sync + ?Sized),
        guard: &Guard,
    ) -> Result<Deletion, Error> {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace.as_str());
        let name = cluster_id.as_ref();
        let failed = |source| deleting("Deployment", namespace, name, source);
        let Some(found) = self.read(|| deployments.get_opt(name)).await.map_err(failed)? else {
            return Ok(Deletion::Gone);
        };
        let run = found.metadata.annotations.as_ref().and_then(|all| all.get(RunId::ANNOTATION));
        let meant = match guard {
            Guard::Run(id) => run.is_some_and(|run| *run == id.to_string()),
            Guard::Uid(uid) => found.metadata.uid.as_ref() == Some(uid),
            Guard::Any => true,
        };
        if !meant {
            return Err(Error::DeploymentTaken {
                namespace: namespace.to_string(),
                name: name.to_owned(),
                owner: owner_text(run.map(String::as_str)),
            });
        }
        if found.metadata.deletion_timestamp.is_some() {
            return Ok(Deletion::Underway);
        }
        let this_one = Preconditions { uid: found.metadata.uid, resource_version: None };
        let params = DeleteParams::foreground().preconditions(this_one);
        match self.change("k8s.delete-deployment", deployments.delete(name, &params)).await {
            Ok(_) => Ok(Deletion::Underway),
            Err(cause) if cause.is_not_found() => Ok(Deletion::Gone),
            Err(cause) => Err(failed(cause)),
        }
    }

    /// Deletes a ConfigMap. One that is gone already is fine.
    ///
    /// # Errors
    /// [`Error::DeleteObject`].
    pub async fn delete_config_map(&self, namespace: &Namespace, name: &str) -> Result<(), Error> {
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace.as_str());
        let params = DeleteParams::background();
        match self.change("k8s.delete-config-map", config_maps.delete(name, &params)).await {
            Ok(_) => Ok(()),
            Err(cause) if cause.is_not_found() => Ok(()),
            Err(cause) => Err(deleting("ConfigMap", namespace, name, cause)),
        }
    }
}

pub(crate) fn deleting(
    what: &'static str,
    namespace: &Namespace,
    name: &str,
    source: Cause,
) -> Error {
    Error::DeleteObject { what, name: format!("{namespace}/{name}"), source }
}
