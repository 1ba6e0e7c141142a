//! Images out of layers: on top of a base image, or from nothing.

mod documents;
mod index;

use std::collections::BTreeMap;

use flumen_model::Digest;
use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};

use crate::{
    Client, Error, Image, Layer, Progress, Reference,
    client::{Outgoing, Source, digest_from},
    media_type,
};
pub(crate) use documents::{Documents, canonical};
pub use index::PushedIndex;

/// Blobs that are looked for or sent at the same time.
const AT_ONCE: usize = 4;

/// Layers on top of a base image.
#[derive(Debug, Clone)]
pub struct Append<'a> {
    /// The image to start from.
    pub base: &'a Reference,
    /// Where the result goes. With a tag it is also found under that; without, only by its digest.
    pub target: &'a Reference,
    /// What to put on top, lowest first.
    pub layers: &'a [Layer],
    /// Labels to add or replace.
    pub labels: &'a BTreeMap<String, String>,
    /// Environment variables to add or replace.
    pub environment: &'a BTreeMap<String, String>,
}

/// An image from nothing.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// Where the result goes. With a tag it is also found under that; without, only by its digest.
    pub target: &'a Reference,
    /// What is in it, lowest first.
    pub layers: &'a [Layer],
    /// How to run it.
    pub configuration: &'a Configuration,
}

/// How an image is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Environment variables, in the order of their names.
    pub environment: BTreeMap<String, String>,
    /// The program that is always run. Default: none.
    pub entrypoint: Vec<String>,
    /// Its arguments unless others are given. Default: none.
    pub command: Vec<String>,
    /// The directory it starts in. Default: `/`.
    pub working_directory: Option<String>,
    /// The user it runs as, `name` or `uid[:gid]`. Default: root.
    pub user: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Ports that it listens on, such as `8081/tcp`.
    pub exposed_ports: Vec<String>,
}

/// An image that is in its registry now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The image by its digest.
    pub reference: Reference,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The length of its manifest in bytes.
    pub manifest_bytes: u64,
    /// Bytes of blobs that had to be sent; 0 if all of it was there.
    pub sent_bytes: u64,
}

impl Client {
    /// Puts layers on a base image and stores the result. The same base, layers and changes give the same digest;
    /// what the target has already is not sent, and what another repository of its registry has is mounted.
    ///
    /// # Errors
    /// `NotFound` if there is no such base image or a layer's file is missing, `Denied` if we may not read the one or write the other,
    /// `Invalid` if the base is no image for our platform, `Unavailable` or `Timeout` if a registry does not answer.
    pub async fn append(&self, append: &Append<'_>, progress: &Progress) -> Result<Pushed, Error> {
        let base = self.pull_manifest(append.base).await?;
        let documents = Documents::on_base(&base, append)?;
        self.store(append.target, append.layers, Some(&base), documents, progress).await
    }

    /// Makes an image of layers and a configuration and stores it.
    ///
    /// # Errors
    /// `NotFound` if a layer's file is missing, `Denied` if we may not write, `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn build(&self, build: &Build<'_>, progress: &Progress) -> Result<Pushed, Error> {
        let documents = Documents::from_nothing(build, &self.settings().platform)?;
        self.store(build.target, build.layers, None, documents, progress).await
    }

    async fn store(
        &self,
        target: &Reference,
        layers: &[Layer],
        base: Option<&Image>,
        documents: Documents,
        progress: &Progress,
    ) -> Result<Pushed, Error> {
        let digest = documents.manifest_digest.clone();
        let reference = target.with_digest(digest.clone());
        let name = if target.tag().is_some() { target.without_digest() } else { reference.clone() };
        let manifest_bytes = documents.manifest.len() as u64;
        let mut sent_bytes = 0;
        if self.manifest_digest(&name).await?.as_ref() != Some(&digest) {
            // Only the tag may be missing.
            if target.tag().is_none() || self.manifest_digest(&reference).await?.is_none() {
                sent_bytes = self.send_blobs(target, layers, base, &documents, progress).await?;
            }
            self.push_manifest(&name, media_type::OCI_MANIFEST, documents.manifest).await?;
        }
        Ok(Pushed { reference, digest, manifest_bytes, sent_bytes })
    }

    async fn send_blobs(
        &self,
        target: &Reference,
        layers: &[Layer],
        base: Option<&Image>,
        documents: &Documents,
        progress: &Progress,
    ) -> Result<u64, Error> {
        let mut blobs: BTreeMap<Digest, (u64, Source<'_>)> = BTreeMap::new();
        if let Some(base) = base {
            // Content that its maker keeps out of registries stays where it is.
            let held = base
                .manifest
                .layers()
                .iter()
                .filter(|layer| layer.urls().as_ref().is_none_or(Vec::is_empty));
            for layer in held {
                let digest = digest_from(layer.digest(), &base.reference)?;
                blobs.insert(digest, (layer.size(), Source::Repository(&base.reference, layer)));
            }
        }
        for layer in layers {
            blobs.insert(layer.digest.clone(), (layer.size, Source::File(&layer.path)));
        }
        let config = (documents.config.len() as u64, Source::Bytes(&documents.config));
        blobs.insert(documents.config_digest.clone(), config);
        // Boxed, because the compiler cannot see that a closure over borrows gives futures that may move
        // between threads.
        let sends: Vec<BoxFuture<'_, Result<u64, Error>>> = blobs
            .iter()
            .map(|(digest, &(size, source))| {
                self.ensure_blob(target, Outgoing { digest, size, source }, progress).boxed()
            })
            .collect();
        stream::iter(sends)
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |sum, sent| std::future::ready(Ok(sum + sent)))
            .await
    }
}
