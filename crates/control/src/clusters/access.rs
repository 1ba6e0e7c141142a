//! From what is stored of a cluster to what a client is made of.

use std::{
    env,
    path::{Path, PathBuf},
};

use flumen_cluster::{Chosen, Kubeconfig, Portable};
use flumen_k8s::Access;
use flumen_model::{AccessKind, Secret};
use flumen_store::Cluster as Stored;
use serde_json::{Value, json};

use super::Clusters;
use crate::{Error, clock};

/// Under what name a cluster's kubeconfig is sealed.
pub(super) fn sealed_name(cluster: &str) -> String {
    format!("cluster {cluster}")
}

impl Clusters {
    pub(super) async fn access(&self, cluster: &Stored) -> Result<Access, Error> {
        let access = &cluster.access;
        Ok(match access.kind {
            AccessKind::File => Access::File {
                path: access.file.clone().unwrap_or_default().into(),
                context: access.context.clone(),
            },
            AccessKind::InCluster => Access::InCluster,
            AccessKind::Kubeconfig => {
                let sealed = self.store.cluster_credentials(&cluster.name).await?;
                let sealed = sealed.ok_or_else(|| Error::SecretKey {
                    problem: format!("nothing is encrypted of cluster {}", cluster.name),
                })?;
                let text = self.vault.open_sealed(&sealed_name(&cluster.name), &sealed)?;
                Access::Text { kubeconfig: self.with_command(&cluster.name, text)?, context: None }
            }
        })
    }

    /// The kubeconfig with the command in it that this server may run, by its path.
    fn with_command(&self, cluster: &str, text: Secret) -> Result<Secret, Error> {
        let mut root: Value = serde_json::from_str(text.expose()).map_err(|_| Error::Invalid {
            message: format!("what is stored of cluster {cluster} is no kubeconfig"),
        })?;
        let exec = &mut root["users"][0]["user"]["exec"];
        let Some(command) = exec["command"].as_str().map(str::to_owned) else { return Ok(text) };
        let path = self.allowed(cluster, &command)?;
        // Nobody sits before the server, and what the command says belongs into the error.
        exec["interactiveMode"] = json!("Never");
        exec["command"] = json!(path);
        Ok(Secret::new(root.to_string()))
    }

    /// The path of a command that this server runs.
    pub(super) fn allowed(&self, cluster: &str, command: &str) -> Result<PathBuf, Error> {
        if !self.commands.iter().any(|allowed| allowed == command) {
            let (cluster, command) = (cluster.to_owned(), command.to_owned());
            return Err(Error::ClusterCommand { cluster, command });
        }
        let path = if command.contains('/') {
            let path = PathBuf::from(command);
            (path.is_absolute() && path.is_file()).then_some(path)
        } else {
            found(command)
        };
        path.ok_or_else(|| Error::Away {
            cluster: cluster.to_owned(),
            problem: format!(
                "the command {command}, which makes its credentials, is not installed on the server's machine"
            ),
        })
    }
}

/// Where a command is, by `PATH`.
fn found(command: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).filter(|place| place.is_absolute());
    places.find_map(|place| Some(place.join(command)).filter(|file| Path::is_file(file)))
}

/// What can be stored of a kubeconfig's text.
pub(super) fn portable(
    cluster: &str,
    text: &Secret,
    context: Option<&str>,
) -> Result<Portable, Error> {
    let origin = format!("of cluster {cluster}");
    let read = Kubeconfig::parse(&origin, text.expose()).and_then(|all| all.choose(context));
    let portable = read.and_then(|chosen: Chosen| chosen.portable(clock::now()));
    let failed = |source| Error::Kubeconfig { cluster: cluster.to_owned(), source };
    portable.map_err(|source| failed(Box::new(source)))
}
