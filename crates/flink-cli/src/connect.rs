//! The Kubernetes cluster that is meant, as Flink's client finds it.

use std::path::PathBuf;

use flumen_flink_conf::Configuration;
use flumen_k8s::{Access, Cluster, Timeouts};
use flumen_model::Namespace;

use crate::{Error, Surroundings};

/// A Kubernetes cluster and the namespace in it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: Namespace,
}

pub(crate) async fn connect(
    configuration: &Configuration,
    surroundings: &Surroundings<'_>,
) -> Result<Place, Error> {
    let namespace = configuration.string("kubernetes.namespace")?.unwrap_or_default().parse()?;
    let access = access(configuration, surroundings)?;
    let cluster = Cluster::connect("of the kubeconfig", &access, Timeouts::default()).await?;
    Ok(Place { cluster, namespace })
}

/// `kubernetes.config.file`, else `KUBECONFIG`, else the home directory's, else the pod's own account.
fn access(configuration: &Configuration, surroundings: &Surroundings<'_>) -> Result<Access, Error> {
    let given = |key| -> Result<Option<String>, Error> {
        Ok(configuration.string(key)?.filter(|text| !text.trim().is_empty()))
    };
    let context = given("kubernetes.context")?;
    if let Some(path) = given("kubernetes.config.file")? {
        return Ok(Access::File { path: surroundings.path(&path), context });
    }
    if let Some(paths) = surroundings.set("KUBECONFIG") {
        let paths: Vec<_> = std::env::split_paths(&paths)
            .filter(|path| !path.as_os_str().is_empty())
            .map(|path| surroundings.directory.join(path))
            .collect();
        return Ok(Access::Files { paths, context });
    }
    let home = PathBuf::from(surroundings.set("HOME").unwrap_or_default()).join(".kube/config");
    if home.is_file() {
        return Ok(Access::File { path: home, context });
    }
    if !is_in_pod(surroundings) {
        return Err(Error::NoKubeconfig { home });
    }
    match context {
        Some(context) => Err(Error::ContextInPod { context }),
        None => Ok(Access::InCluster),
    }
}

/// Whether this process runs in a pod, where names of Services mean something.
pub(crate) fn is_in_pod(surroundings: &Surroundings<'_>) -> bool {
    surroundings.set("KUBERNETES_SERVICE_HOST").is_some()
}
