//! Images on this node: pulled from registries, unpacked once per layer.
//!
//! ```text
//! images/layers/<first half of the diff id>/   one unpacked layer, complete or absent
//! images/references/<hash of the name>.json    what a name meant when it was last pulled
//! images/incoming/                             what is being downloaded or unpacked; emptied at start
//! ```

mod credentials;
mod layer;
mod unpack;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use flumen_image::{Client, Reference};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{protocol::IdMap, remove};
pub(crate) use credentials::Keyring;
pub(crate) use unpack::Unpacking;

/// Layers of one image that are downloaded at the same time.
const CONCURRENT_LAYERS: usize = 3;

/// Why an image is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("couldn't parse image name {name:?}: {problem}")]
    Name { name: String, problem: String },
    #[error("failed to pull and unpack image {name:?}")]
    Pull {
        name: String,
        #[source]
        source: flumen_image::Error,
    },
    #[error("could not use the credentials for image {name:?}")]
    Credentials {
        name: String,
        #[source]
        source: flumen_image::Error,
    },
    #[error("could not set up the client for registries")]
    Client(#[source] flumen_image::Error),
    #[error("the pull of image {name:?} was interrupted")]
    Interrupted { name: String },
    #[error("could not unpack layer {diff_id}")]
    Unpack {
        diff_id: String,
        #[source]
        source: Unpacking,
    },
    #[error("could not keep {}", path.display())]
    Keep {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// An image whose layers are unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    /// By digest, as it stands in a container's status.
    pub(crate) id: String,
    /// Directories of the layers, lowest first.
    pub(crate) layers: Vec<String>,
    pub(crate) run: RunConfiguration,
    /// Compressed size of all layers.
    pub(crate) size_bytes: u64,
}

/// What the image says about the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunConfiguration {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) working_directory: String,
    pub(crate) user: String,
    pub(crate) stop_signal: Option<String>,
    /// Paths of the host that the image leans on.
    pub(crate) host_directories: Vec<PathBuf>,
}

/// Image label that names paths of the host, separated by commas, that appear read-only in the container.
const HOST_DIRECTORIES_LABEL: &str = "dev.flumen.local.host-directories";

/// All images of the node.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    client: Client,
    /// For clients that have credentials of a pod.
    settings: flumen_image::Settings,
    directory: PathBuf,
    map: IdMap,
    /// One lock per layer that is being fetched: whoever comes second finds it done.
    fetching: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Images {
    pub(crate) fn open(
        settings: flumen_image::Settings,
        directory: PathBuf,
        map: IdMap,
    ) -> Result<Self, Error> {
        let client = Client::new(settings.clone()).map_err(Error::Client)?;
        let incoming = directory.join("incoming");
        remove::directory(&incoming)
            .map_err(|source| Error::Keep { path: incoming.clone(), source })?;
        for path in ["layers/empty", "references", "incoming"].map(|name| directory.join(name)) {
            fs::create_dir_all(&path).map_err(|source| Error::Keep { path, source })?;
        }
        Ok(Self { client, settings, directory, map, fetching: Arc::default() })
    }

    pub(crate) fn layers_directory(&self) -> PathBuf {
        self.directory.join("layers")
    }

    /// What this name meant when it was last pulled, if all its layers are still there.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Image>, Error> {
        let reference = parse(name)?;
        let Ok(text) = fs::read(self.record(&reference)) else { return Ok(None) };
        let Ok(image) = serde_json::from_slice::<Image>(&text) else { return Ok(None) };
        let layers = self.layers_directory();
        Ok(image.layers.iter().all(|layer| layers.join(layer).is_dir()).then_some(image))
    }

    /// Asks the registry what the name means now and fetches what is missing, with the first credential that it accepts.
    pub(crate) async fn pull(&self, name: &str, keyring: &Keyring) -> Result<Image, Error> {
        let reference = parse(name)?;
        let mut clients = Vec::new();
        for credential in keyring.find(&reference) {
            let credentials = BTreeMap::from([(reference.registry().to_owned(), credential)]);
            let settings = flumen_image::Settings { credentials, ..self.settings.clone() };
            let client = Client::new(settings);
            clients.push(
                client.map_err(|source| Error::Credentials { name: name.to_owned(), source })?,
            );
        }
        if clients.is_empty() {
            clients.push(self.client.clone());
        }
        let mut pulled = Err(Error::Interrupted { name: name.to_owned() });
        for client in clients {
            let images = Self { client, ..self.clone() };
            let (name, reference) = (name.to_owned(), reference.clone());
            // A pull goes on when the pod that asked for it goes: half-fetched layers would be in the way of the next.
            let task = tokio::spawn(async move { images.pull_with(&name, &reference).await });
            if let Ok(outcome) = task.await {
                pulled = outcome;
            }
            // Of an image that we may not see, registries say all kinds of things.
            if !matches!(pulled, Err(Error::Pull { .. })) {
                break;
            }
        }
        pulled
    }

    async fn pull_with(&self, name: &str, reference: &Reference) -> Result<Image, Error> {
        let pull_error = |source| Error::Pull { name: name.to_owned(), source };
        let remote = self.client.pull_manifest(reference).await.map_err(pull_error)?;
        let diff_ids = remote.config.rootfs().diff_ids();
        let fetches: Vec<_> = remote
            .manifest
            .layers()
            .iter()
            .zip(diff_ids)
            .map(|(descriptor, diff_id)| {
                self.ensure_layer(name, &remote.reference, descriptor, diff_id)
            })
            .collect();
        let layers: Vec<String> =
            stream::iter(fetches).buffered(CONCURRENT_LAYERS).try_collect().await?;
        let image = Image {
            id: remote.reference.to_string(),
            layers: each_once(layers),
            run: run_configuration(&remote.config, reference),
            size_bytes: remote.manifest.layers().iter().map(flumen_image::Descriptor::size).sum(),
        };
        self.remember(reference, &image)?;
        Ok(image)
    }

    async fn ensure_layer(
        &self,
        name: &str,
        reference: &Reference,
        descriptor: &flumen_image::Descriptor,
        diff_id: &str,
    ) -> Result<String, Error> {
        let directory = layer_name(diff_id);
        let target = self.layers_directory().join(&directory);
        let lock = Arc::clone(
            self.fetching
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(directory.clone())
                .or_default(),
        );
        let fetched = {
            let _alone = lock.lock().await;
            if target.is_dir() {
                Ok(())
            } else {
                self.fetch_layer(name, reference, descriptor, diff_id, &target).await
            }
        };
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        // Who waits for it must be alone, too, where this one failed: the map's and ours are two.
        if Arc::strong_count(&lock) <= 2 {
            fetching.remove(&directory);
        }
        drop(fetching);
        fetched.map(|()| directory)
    }

    async fn fetch_layer(
        &self,
        name: &str,
        reference: &Reference,
        descriptor: &flumen_image::Descriptor,
        diff_id: &str,
        target: &Path,
    ) -> Result<(), Error> {
        let incoming = self.directory.join("incoming");
        let blob = incoming.join(format!("{}.blob", layer_name(diff_id)));
        self.client
            .pull_blob_to(reference, descriptor, &blob)
            .await
            .map_err(|source| Error::Pull { name: name.to_owned(), source })?;
        let (partial, target) = (incoming.join(layer_name(diff_id)), target.to_owned());
        let (wanted, map) = (diff_id.to_owned(), self.map);
        let unpacked = tokio::task::spawn_blocking(move || {
            let result = unpack::unpack(&blob, &partial, &target, &wanted, map);
            // What is left of either is removed at the next start, too.
            let _ = fs::remove_file(&blob);
            if result.is_err() {
                let _ = remove::directory(&partial);
            }
            result
        })
        .await
        .unwrap_or(Err(Unpacking::Interrupted));
        unpacked.map_err(|source| Error::Unpack { diff_id: diff_id.to_owned(), source })
    }

    fn remember(&self, reference: &Reference, image: &Image) -> Result<(), Error> {
        let path = self.record(reference);
        let text = serde_json::to_vec(image).unwrap_or_default();
        let partial = path.with_extension("partial");
        fs::write(&partial, text)
            .and_then(|()| fs::rename(&partial, &path))
            .map_err(|source| Error::Keep { path, source })
    }

    fn record(&self, reference: &Reference) -> PathBuf {
        let hash = Sha256::digest(reference.to_string());
        self.directory.join("references").join(format!("{}.json", hexadecimal(&hash[..16])))
    }
}

fn parse(name: &str) -> Result<Reference, Error> {
    name.parse().map_err(|error: <Reference as std::str::FromStr>::Err| Error::Name {
        name: name.to_owned(),
        problem: error.to_string(),
    })
}

/// Overlayfs refuses a layer that comes twice; its upper place alone has the same effect.
fn each_once(layers: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut kept: Vec<String> =
        layers.into_iter().rev().filter(|layer| seen.insert(layer.clone())).collect();
    kept.reverse();
    kept
}

/// Half of the hash is unique enough, and the kernel takes only a page of mount options.
fn layer_name(diff_id: &str) -> String {
    let hash = diff_id.rsplit(':').next().unwrap_or(diff_id);
    hash.chars().filter(char::is_ascii_alphanumeric).take(32).collect()
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Only images of a registry on this machine lean on the host: who made another one is not known, and as an ordinary user
/// its containers may read what that user may.
fn run_configuration(
    config: &flumen_image::ImageConfiguration,
    reference: &Reference,
) -> RunConfiguration {
    let Some(config) = config.config() else { return RunConfiguration::default() };
    let list = |words: &Option<Vec<String>>| words.clone().unwrap_or_default();
    let label = config.labels().as_ref().and_then(|labels| labels.get(HOST_DIRECTORIES_LABEL));
    let label = label.filter(|_| reference.is_of_loopback());
    RunConfiguration {
        environment: list(config.env())
            .iter()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        entrypoint: list(config.entrypoint()),
        command: list(config.cmd()),
        working_directory: config.working_dir().clone().unwrap_or_default(),
        user: config.user().clone().unwrap_or_default(),
        stop_signal: config.stop_signal().clone(),
        host_directories: label
            .map(|text| {
                text.split(',')
                    .map(str::trim)
                    .filter(|path| path.starts_with('/'))
                    .map(PathBuf::from)
                    .collect()
            })
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_comes_twice_keeps_its_upper_place() {
        let layers = |names: &str| names.chars().map(String::from).collect::<Vec<_>>();
        assert_eq!(each_once(layers("abacb")), layers("acb"));
    }
}
