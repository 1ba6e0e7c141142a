//! Volumes for claims, as directories of this node: made when a claim asks for one, removed with what is in them when the
//! claim is gone. Binding claims and volumes is not done here but by the cluster's controllers.

mod tries;
mod values;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::{
    core::v1::{PersistentVolume, PersistentVolumeClaim},
    storage::v1::StorageClass,
};
use kube::{
    Api, Client,
    api::{DeleteParams, PostParams},
    runtime::{WatchStreamExt, watcher},
};

use crate::{
    error::chain,
    protocol::IdMap,
    remove,
    volumes::{Owner, empty},
};
use tries::{Pause, Tasks};

/// Pause after something that failed.
const AGAIN: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("could not {step}")]
    Api {
        step: String,
        #[source]
        source: Box<kube::Error>,
    },
    #[error("could not use the directory {} of the volume {volume}", path.display())]
    Directory {
        volume: String,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

fn during(step: impl Into<String>) -> impl FnOnce(kube::Error) -> Error {
    let step = step.into();
    move |source| Error::Api { step, source: Box::new(source) }
}

/// Makes and removes the volumes of this machine's nodes.
pub(crate) struct Provisioner {
    pub(crate) client: Client,
    pub(crate) nodes: Vec<String>,
    /// Directory of all volumes.
    pub(crate) directory: PathBuf,
    pub(crate) map: IdMap,
}

impl Provisioner {
    /// Serves claims until the future is dropped.
    pub(crate) async fn run(self) {
        while let Err(error) = self.offer_class().await {
            tracing::debug!(
                error = chain(&error),
                "the class of this node's volumes is not there yet"
            );
            tokio::time::sleep(AGAIN).await;
        }
        let this = Arc::new(self);
        tokio::join!(Arc::clone(&this).follow_claims(), this.follow_volumes());
    }

    /// A class that exists may have been changed by somebody, and stays.
    async fn offer_class(&self) -> Result<(), Error> {
        let api: Api<StorageClass> = Api::all(self.client.clone());
        exists_is_fine(api.create(&PostParams::default(), &values::class()).await)
            .map_err(during(format!("create the storage class {}", values::CLASS)))
    }

    async fn follow_claims(self: Arc<Self>) {
        let api: Api<PersistentVolumeClaim> = Api::all(self.client.clone());
        let claims = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
        let mut claims = claims.boxed();
        let mut tasks = Tasks::default();
        loop {
            match claims.try_next().await {
                Ok(Some(claim)) if values::waits(&claim) => {
                    let uid = claim.metadata.uid.clone().unwrap_or_default();
                    tasks.start(uid, Arc::clone(&self).serve(claim));
                }
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "could not watch claims"),
            }
        }
    }

    /// Until it has a volume, or does not want one any more.
    async fn serve(self: Arc<Self>, mut claim: PersistentVolumeClaim) {
        let namespace = claim.metadata.namespace.as_deref().unwrap_or("default");
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), namespace);
        let mut pause = Pause::from(AGAIN);
        while values::waits(&claim) {
            let Err(error) = self.provide(&claim).await else { return };
            tracing::warn!(error = chain(&error), "a claim has no volume yet");
            pause.wait().await;
            let name = claim.metadata.name.as_deref().unwrap_or_default();
            match api.get_opt(name).await {
                // Another one of the same name has a task of its own.
                Ok(Some(now)) if now.metadata.uid == claim.metadata.uid => claim = now,
                Ok(_) => return,
                Err(error) => tracing::debug!(%error, "could not look at a claim"),
            }
        }
    }

    async fn follow_volumes(self: Arc<Self>) {
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        let volumes = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
        let mut volumes = volumes.boxed();
        let mut tasks = Tasks::default();
        loop {
            match volumes.try_next().await {
                Ok(Some(volume)) if values::to_remove(&volume, &self.directory).is_some() => {
                    let uid = volume.metadata.uid.clone().unwrap_or_default();
                    tasks.start(uid, Arc::clone(&self).clear(volume));
                }
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "could not watch volumes"),
            }
        }
    }

    /// Until it is gone, or is to stay after all.
    async fn clear(self: Arc<Self>, mut volume: PersistentVolume) {
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        let mut pause = Pause::from(AGAIN);
        while let Some((name, path)) = values::to_remove(&volume, &self.directory) {
            let Err(error) = self.remove(&name, &path).await else { return };
            tracing::warn!(error = chain(&error), "a volume is not removed yet");
            pause.wait().await;
            match api.get_opt(&name).await {
                Ok(Some(now)) if now.metadata.uid == volume.metadata.uid => volume = now,
                Ok(_) => return,
                Err(error) => tracing::debug!(%error, "could not look at a volume"),
            }
        }
    }

    async fn provide(&self, claim: &PersistentVolumeClaim) -> Result<(), Error> {
        let class = self.class_of(claim).await?;
        let (name, path) = values::place(claim, &self.directory);
        let volume = values::volume(claim, class, &self.nodes, &self.directory);
        let (owner, directory) = (Owner { map: self.map, group: None }, path.clone());
        let made = tokio::task::spawn_blocking(move || empty(&directory, owner)).await;
        made.map_err(io::Error::other).flatten().map_err(|source| Error::Directory {
            volume: name.clone(),
            path,
            source,
        })?;
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        exists_is_fine(api.create(&PostParams::default(), &volume).await)
            .map_err(during(format!("create the volume {name}")))
    }

    async fn class_of(&self, claim: &PersistentVolumeClaim) -> Result<StorageClass, Error> {
        let name = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
        let name = name.unwrap_or_default();
        let api: Api<StorageClass> = Api::all(self.client.clone());
        api.get(name).await.map_err(during(format!("read the storage class {name}")))
    }

    async fn remove(&self, name: &str, path: &Path) -> Result<(), Error> {
        let left = path.to_owned();
        let removed = tokio::task::spawn_blocking(move || remove::directory(&left)).await;
        removed.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|source| {
            Error::Directory { volume: name.to_owned(), path: path.to_owned(), source }
        })?;
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        match api.delete(name, &DeleteParams::default()).await {
            Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
            other => other.map(drop).map_err(during(format!("delete the volume {name}"))),
        }
    }
}

fn exists_is_fine<T>(result: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match result {
        Err(kube::Error::Api(answer)) if answer.code == 409 => Ok(()),
        other => other.map(drop),
    }
}
