//! Volumes for claims, as directories of this node: made when a claim asks for one, removed with what is in them when the
//! claim is gone. Binding claims and volumes is not done here but by the cluster's controllers.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::{
    api::{
        core::v1::{
            HostPathVolumeSource, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
            ObjectReference, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec,
            VolumeNodeAffinity,
        },
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client,
    api::{DeleteParams, PostParams},
    runtime::{WatchStreamExt, watcher},
};

use crate::{
    error::chain,
    protocol::IdMap,
    volumes::{Owner, empty},
};

/// The name of the class, which is the default one.
const CLASS: &str = "local-path";
const PROVISIONER: &str = "flumen.dev/local-path";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
const ASKED: &str = "volume.kubernetes.io/storage-provisioner";
const MADE_BY: &str = "pv.kubernetes.io/provisioned-by";
const HOSTNAME: &str = "kubernetes.io/hostname";
/// File systems take no longer names of files, and those of claims alone may have 253 bytes.
const LONGEST_NAME: usize = 255;
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

/// Makes and removes the volumes of a node.
pub(crate) struct Provisioner {
    pub(crate) client: Client,
    pub(crate) node: String,
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
        tokio::join!(self.follow_claims(), self.follow_volumes());
    }

    /// A class that exists may have been changed by somebody, and stays.
    async fn offer_class(&self) -> Result<(), Error> {
        let class = StorageClass {
            metadata: ObjectMeta {
                name: Some(CLASS.to_owned()),
                annotations: Some(one(DEFAULT_CLASS, "true")),
                ..ObjectMeta::default()
            },
            provisioner: PROVISIONER.to_owned(),
            ..StorageClass::default()
        };
        let api: Api<StorageClass> = Api::all(self.client.clone());
        exists_is_fine(api.create(&PostParams::default(), &class).await)
            .map_err(during(format!("create the storage class {CLASS}")))
    }

    async fn follow_claims(&self) {
        let api: Api<PersistentVolumeClaim> = Api::all(self.client.clone());
        let claims = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
        let mut claims = claims.boxed();
        loop {
            match claims.try_next().await {
                Ok(Some(claim)) => self.serve(claim).await,
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "could not watch claims"),
            }
        }
    }

    /// Until it has a volume, or does not want one any more.
    async fn serve(&self, mut claim: PersistentVolumeClaim) {
        let namespace = claim.metadata.namespace.as_deref().unwrap_or("default");
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), namespace);
        while waits(&claim) {
            let Err(error) = self.provide(&claim).await else { return };
            tracing::warn!(error = chain(&error), "a claim has no volume yet");
            tokio::time::sleep(AGAIN).await;
            let name = claim.metadata.name.as_deref().unwrap_or_default();
            match api.get_opt(name).await {
                Ok(Some(now)) => claim = now,
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "could not look at a claim"),
            }
        }
    }

    async fn follow_volumes(&self) {
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        let volumes = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
        let mut volumes = volumes.boxed();
        loop {
            match volumes.try_next().await {
                Ok(Some(volume)) => {
                    let Some((name, path)) = to_remove(&volume, &self.directory) else { continue };
                    while let Err(error) = self.remove(&name, &path).await {
                        tracing::warn!(error = chain(&error), "a volume is not removed yet");
                        tokio::time::sleep(AGAIN).await;
                    }
                }
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "could not watch volumes"),
            }
        }
    }

    async fn provide(&self, claim: &PersistentVolumeClaim) -> Result<(), Error> {
        let (name, path) = self.place(claim);
        let volume = self.volume(claim, &name, &path);
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

    fn place(&self, claim: &PersistentVolumeClaim) -> (String, PathBuf) {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let metadata = &claim.metadata;
        let name = format!("pvc-{}", text(&metadata.uid));
        let directory = format!("{name}_{}_{}", text(&metadata.namespace), text(&metadata.name));
        let directory: String = directory.chars().take(LONGEST_NAME).collect();
        (name, self.directory.join(directory))
    }

    fn volume(&self, claim: &PersistentVolumeClaim, name: &str, path: &Path) -> PersistentVolume {
        let spec = claim.spec.clone().unwrap_or_default();
        let requests = spec.resources.and_then(|resources| resources.requests);
        let here = NodeSelectorRequirement {
            key: HOSTNAME.to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![self.node.clone()]),
        };
        let term =
            NodeSelectorTerm { match_expressions: Some(vec![here]), ..NodeSelectorTerm::default() };
        PersistentVolume {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                annotations: Some(one(MADE_BY, PROVISIONER)),
                ..ObjectMeta::default()
            },
            spec: Some(PersistentVolumeSpec {
                access_modes: spec.access_modes,
                capacity: requests,
                claim_ref: Some(ObjectReference {
                    api_version: Some("v1".to_owned()),
                    kind: Some("PersistentVolumeClaim".to_owned()),
                    name: claim.metadata.name.clone(),
                    namespace: claim.metadata.namespace.clone(),
                    uid: claim.metadata.uid.clone(),
                    ..ObjectReference::default()
                }),
                host_path: Some(HostPathVolumeSource {
                    path: path.display().to_string(),
                    type_: Some("DirectoryOrCreate".to_owned()),
                }),
                node_affinity: Some(VolumeNodeAffinity {
                    required: Some(NodeSelector { node_selector_terms: vec![term] }),
                }),
                persistent_volume_reclaim_policy: Some("Delete".to_owned()),
                storage_class_name: spec.storage_class_name,
                volume_mode: Some("Filesystem".to_owned()),
                ..PersistentVolumeSpec::default()
            }),
            status: None,
        }
    }

    async fn remove(&self, name: &str, path: &Path) -> Result<(), Error> {
        let removed = match tokio::fs::remove_dir_all(path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        removed.map_err(|source| Error::Directory {
            volume: name.to_owned(),
            path: path.to_owned(),
            source,
        })?;
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        match api.delete(name, &DeleteParams::default()).await {
            Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
            other => other.map(drop).map_err(during(format!("delete the volume {name}"))),
        }
    }
}

fn one(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

/// Whether the claim asks for a volume of ours and has none.
fn waits(claim: &PersistentVolumeClaim) -> bool {
    let asked = claim.metadata.annotations.as_ref().and_then(|annotations| annotations.get(ASKED));
    let named = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref());
    asked.is_some_and(|asked| asked == PROVISIONER)
        && named.unwrap_or_default().is_empty()
        && claim.metadata.deletion_timestamp.is_none()
}

fn exists_is_fine<T>(result: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match result {
        Err(kube::Error::Api(answer)) if answer.code == 409 => Ok(()),
        other => other.map(drop),
    }
}

/// Name and directory of a volume of ours that nobody claims any more. A directory that is not one of ours, whatever
/// the object says, is never touched.
fn to_remove(volume: &PersistentVolume, directory: &Path) -> Option<(String, PathBuf)> {
    let name = volume.metadata.name.clone()?;
    let spec = volume.spec.as_ref()?;
    let released = volume.status.as_ref()?.phase.as_deref() == Some("Released");
    let ours = volume.metadata.annotations.as_ref()?.get(MADE_BY)? == PROVISIONER;
    let delete = spec.persistent_volume_reclaim_policy.as_deref() == Some("Delete");
    let path = PathBuf::from(&spec.host_path.as_ref()?.path);
    let inside = path.parent() == Some(directory)
        && path.file_name()?.to_str()?.starts_with(&format!("{name}_"));
    (released && ours && delete && inside).then_some((name, path))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn removes(change: impl FnOnce(&mut Value)) -> bool {
        let mut volume = json!({
            "metadata": {"name": "pvc-1", "annotations": {MADE_BY: PROVISIONER}},
            "spec": {"persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": "/data/volumes/pvc-1_ns_name"}},
            "status": {"phase": "Released"},
        });
        change(&mut volume);
        let volume = serde_json::from_value(volume).unwrap();
        to_remove(&volume, "/data/volumes".as_ref()).is_some()
    }

    #[test]
    fn only_what_was_made_here_and_is_nobodys_is_removed() {
        assert!(removes(|_| {}));
        assert!(!removes(|volume| volume["status"]["phase"] = "Bound".into()));
        assert!(!removes(
            |volume| volume["spec"]["persistentVolumeReclaimPolicy"] = "Retain".into()
        ));
        assert!(!removes(|volume| volume["metadata"]["annotations"] = json!({MADE_BY: "other"})));
        for path in [
            "/",
            "/etc",
            "/data/volumes",
            "/data/volumes/pvc-2_ns_name",
            "/data/volumes/pvc-1_ns/../../x",
            "/other/pvc-1_ns_name",
        ] {
            assert!(!removes(|volume| volume["spec"]["hostPath"]["path"] = path.into()), "{path}");
        }
    }
}
