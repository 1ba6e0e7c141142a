//! Whether the pods of a job can pull its image.

use flumen_image::Reference;
use flumen_k8s::Cluster;
use flumen_model::{JobSpec, Namespace};
use flumen_store::{Environment, ReleaseContent};

use crate::{
    Control, Error,
    actions::{Pulling, pulling},
};

impl Control {
    /// Looks for the Secrets that images are pulled with. Returns what is doubtful: nodes may have credentials of their own,
    /// and a cluster that does not say is not waited for.
    ///
    /// # Errors
    /// [`Error::Invalid`] where none of the Secrets that the job names is there, and the registry wants to know who pulls.
    pub(crate) async fn check_pull_secrets(
        &self,
        spec: &JobSpec,
        content: &ReleaseContent,
    ) -> Result<Vec<String>, Error> {
        let environment = self.environment(&spec.environment).await?;
        let Pulling { secrets, account } = pulling(spec, &environment, content)?;
        let (cluster, namespace) = {
            let place = &environment.document;
            (self.clusters_handle().get(&place.cluster).await, &place.namespace)
        };
        let Ok(cluster) = cluster else { return Ok(Vec::new()) };
        let Some(missing) = missing(&cluster, namespace, &secrets).await else {
            return Ok(Vec::new());
        };
        let none_is_there = missing.len() == secrets.len();
        let is_private = none_is_there && self.is_private(spec, &environment).await?;
        if !is_private {
            let warning =
                |name: &String| format!("the Secret {name}, {}", not_there(name, namespace));
            return Ok(missing.iter().map(warning).collect());
        }
        let registry = &environment.document.registry;
        if let Some(name) = missing.first() {
            let message = format!(
                "the image of job {} lies in {registry}, which lets nobody pull without credentials, and the Secret {name}, {}",
                spec.name,
                not_there(name, namespace)
            );
            return Err(Error::Invalid { message });
        }
        if cluster.pulls_with_secrets(namespace, &account).await.unwrap_or(true) {
            return Ok(Vec::new());
        }
        Ok(vec![format!(
            "the image of the job lies in {registry}, which lets nobody pull without credentials, and neither the job nor the service account {account} in the namespace {namespace} names a Secret that has some: set kubernetes.container.image.pull-secrets, unless the nodes have credentials of their own"
        )])
    }

    /// Whether the registry of the environment gives the base image to nobody unknown. One that does not say is not waited for.
    async fn is_private(&self, spec: &JobSpec, environment: &Environment) -> Result<bool, Error> {
        let row = self.version_row(spec.flink_version, &spec.environment).await?;
        let image = format!("{}/{}", environment.document.registry, row.image);
        let image: Reference = image.parse().map_err(Error::from)?;
        Ok(match self.registries().is_private(&image).await {
            Ok(is_private) => is_private,
            Err(error) => {
                tracing::debug!(%image, error = &error as &dyn std::error::Error, "whether an image is for everybody is not known");
                false
            }
        })
    }
}

/// The Secrets that are not there; none if the cluster does not say.
async fn missing(
    cluster: &Cluster,
    namespace: &Namespace,
    secrets: &[String],
) -> Option<Vec<String>> {
    let mut missing = Vec::new();
    for name in secrets {
        match cluster.has_secret(namespace, name).await {
            Ok(true) => {}
            Ok(false) => missing.push(name.clone()),
            Err(error) => {
                tracing::debug!(
                    secret = name,
                    error = &error as &dyn std::error::Error,
                    "whether a Secret is there is not known"
                );
                return None;
            }
        }
    }
    Some(missing)
}

fn not_there(name: &str, namespace: &Namespace) -> String {
    format!(
        "which images are pulled with, is not in the namespace {namespace}: create it with `kubectl create secret docker-registry {name} --namespace {namespace}`"
    )
}
