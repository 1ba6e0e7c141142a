use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use flumen_model::{EnvironmentName, S3Storage, Storage};
use flumen_storage::{Bucket, Keys};
use flumen_store::{Environment, EnvironmentDocument, Store};

use super::{Files, Tree, keys};
use crate::{Error, clusters::Clusters, environments::LOCAL};

/// For how long keys are used before the Secret is read again.
const KEYS_FOR: Duration = Duration::from_mins(1);

/// The storages that Flumen looks into. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Storages {
    clusters: Clusters,
    store: Store,
    known: Arc<Mutex<HashMap<Place, (Instant, Bucket)>>>,
}

/// What a bucket is known by: the same words in another namespace mean another Secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    cluster: String,
    namespace: String,
    storage: S3Storage,
}

/// What a look at a storage takes.
#[derive(Debug, Clone)]
pub(crate) enum Look {
    /// It can be looked into.
    Into(Files),
    /// It cannot, for the reason that the text ends a sentence with.
    Never(String),
}

impl Look {
    /// The files, where there are any to see.
    pub(crate) fn files(self) -> Option<Files> {
        match self {
            Self::Into(files) => Some(files),
            Self::Never(_) => None,
        }
    }
}

impl Storages {
    pub(crate) fn new(clusters: Clusters, store: Store) -> Self {
        Self { clusters, store, known: Arc::default() }
    }

    /// The storage of the environment of that name.
    ///
    /// # Errors
    /// [`Error::StorageKeys`] and what the cluster says if its keys cannot be had.
    pub(crate) async fn of(&self, name: &EnvironmentName) -> Result<Look, Error> {
        let environment = self.store.environment(name).await?;
        let environment =
            environment.ok_or_else(|| Error::not_found(format!("environment {name}")))?;
        self.look(&environment).await
    }

    /// The storage of an environment.
    ///
    /// # Errors
    /// [`Error::StorageKeys`] and what the cluster says if its keys cannot be had.
    pub(crate) async fn look(&self, environment: &Environment) -> Result<Look, Error> {
        let document = &environment.document;
        let tree = match &document.storage {
            Storage::HostPath { host_path, mount_path } if document.cluster == LOCAL => {
                let mount = mount_path.trim_end_matches('/').to_owned();
                Tree::Directory { root: host_path.into(), mount }
            }
            Storage::S3(storage) if !storage.readable => {
                return Ok(Look::Never(
                    "its environment says that Flumen cannot reach it".to_owned(),
                ));
            }
            Storage::S3(storage) if storage.credentials.is_none() => {
                let why = "it has no credentials, so that only pods have keys for it";
                return Ok(Look::Never(why.to_owned()));
            }
            Storage::S3(storage) => Tree::Bucket {
                bucket: self.bucket(environment, storage).await?,
                prefix: storage.place.path().to_owned(),
                environment: environment.name.to_string(),
            },
            Storage::HostPath { .. } | Storage::File(_) => {
                let why = "it is a directory that only pods see";
                return Ok(Look::Never(why.to_owned()));
            }
            Storage::Oss(_) | Storage::Hdfs(_) => {
                return Ok(Look::Never(format!(
                    "Flumen does not read {}",
                    document.storage.kind()
                )));
            }
        };
        Ok(Look::Into(Files { tree }))
    }

    /// The bucket of this name by the access to a storage, for a file of a job.
    pub(crate) async fn other_bucket(
        &self,
        environment: &Environment,
        storage: &S3Storage,
        name: &str,
    ) -> Result<Bucket, Error> {
        let keys = self.keys(environment).await?;
        Bucket::new(storage, &keys, Some(name)).map_err(|source| failed(environment, source))
    }

    /// Forgets the keys of an environment, so that the Secret is read again.
    pub(crate) fn forget(&self, document: &EnvironmentDocument) {
        if let Storage::S3(storage) = &document.storage {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.remove(&place(document, storage));
        }
    }

    async fn bucket(
        &self,
        environment: &Environment,
        storage: &S3Storage,
    ) -> Result<Bucket, Error> {
        let place = place(&environment.document, storage);
        let known = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, (since, _)| since.elapsed() < KEYS_FOR);
            known.get(&place).map(|(_, bucket)| bucket.clone())
        };
        if let Some(bucket) = known {
            return Ok(bucket);
        }
        let keys = self.keys(environment).await?;
        let bucket = Bucket::new(storage, &keys, None);
        let bucket = bucket.map_err(|source| failed(environment, source))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(place, (Instant::now(), bucket.clone()));
        Ok(bucket)
    }

    /// The keys, as the Secret has them now.
    async fn keys(&self, environment: &Environment) -> Result<Keys, Error> {
        let cluster = self.clusters.get(&environment.document.cluster).await?;
        keys::read(&cluster, environment).await
    }
}

fn place(document: &EnvironmentDocument, storage: &S3Storage) -> Place {
    Place {
        cluster: document.cluster.clone(),
        namespace: document.namespace.to_string(),
        storage: storage.clone(),
    }
}

fn failed(environment: &Environment, source: flumen_storage::Error) -> Error {
    Error::Storage { environment: environment.name.to_string(), source: Box::new(source) }
}
