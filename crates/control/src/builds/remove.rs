use std::{path::PathBuf, time::Duration};

use flumen_k8s::{Cluster, Deletion, LogRequest};
use flumen_model::{Kind, OperationId};
use flumen_project::CONTAINERS;
use futures::TryStreamExt;
use jiff::SignedDuration;

use super::Request;
use crate::{
    Control, Error, clock,
    logs::{Tail, write_whole},
};

/// How often it is looked whether the pod is gone.
const LOOK: Duration = Duration::from_millis(500);

/// How long a log that cannot be had now holds the removal up.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// Keeps the log of a build that has ended, and removes its pod, which owns all else that stands of it.
pub(super) async fn remove(
    control: &Control,
    id: OperationId,
    request: &Request,
) -> Result<(), Error> {
    let cluster = match control.clusters_handle().get(&request.cluster).await {
        Ok(cluster) => cluster,
        // Nobody can look there any more.
        Err(Error::NoCluster { .. }) => {
            return Ok(control.store().build_removed(id, clock::now()).await?);
        }
        Err(error) => return Err(error),
    };
    let name = flumen_project::name(id);
    if cluster.pod(&request.namespace, &name).await?.is_some() {
        keep_log(control, &cluster, id, request).await?;
    }
    while cluster.delete_pod(&request.namespace, &name).await? == Deletion::Underway {
        tokio::time::sleep(LOOK).await;
    }
    Ok(control.store().build_removed(id, clock::now()).await?)
}

async fn keep_log(
    control: &Control,
    cluster: &Cluster,
    id: OperationId,
    request: &Request,
) -> Result<(), Error> {
    let ended = control.store().build(id).await?.and_then(|build| build.finished_at);
    let patient = ended.is_some_and(|at| clock::now().duration_since(at) < PATIENCE);
    let mut tail = Tail::default();
    for container in CONTAINERS {
        match read(cluster, id, request, container, &mut tail).await {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), Kind::Invalid | Kind::NotFound) => {}
            Err(error) if error.kind().is_transient() && patient => return Err(error),
            Err(error) => {
                tail.push(format!("flumen: {}\n", error.paragraph()).as_bytes());
            }
        }
    }
    let directory = control.build_logs();
    write_whole(control.faults(), &directory, &id.to_string(), tail.newest()).await
}

async fn read(
    cluster: &Cluster,
    id: OperationId,
    request: &Request,
    container: &str,
    tail: &mut Tail,
) -> Result<(), Error> {
    let (name, whole) = (flumen_project::name(id), LogRequest::default());
    let mut log = cluster.pod_logs(&request.namespace, &name, container, &whole).await?;
    while let Some(piece) = log.try_next().await? {
        tail.push(&piece);
    }
    Ok(())
}

impl Control {
    /// Where the logs of builds lie whose pods are gone.
    pub(super) fn build_logs(&self) -> PathBuf {
        self.settings().data_directory.join("logs").join("builds")
    }

    /// Where the log of this one lies.
    pub(super) fn build_log(&self, id: OperationId) -> PathBuf {
        self.build_logs().join(format!("{id}.log"))
    }

    /// Removes the log of a build that is to be forgotten.
    pub(crate) async fn remove_build_log(&self, id: OperationId) -> Result<(), Error> {
        let path = self.build_log(id);
        match tokio::fs::remove_file(&path).await {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("remove", path)(source))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
