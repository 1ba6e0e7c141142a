//! Whether a registry can be worked with, found out by doing it.

use bytes::Bytes;
use flumen_model::Digest;

use super::{Client, Outgoing, Source};
use crate::{
    Attributes, Build, Compression, Configuration, Content, Error, LayerBuilder, Progress,
    Reference, compose::Documents, media_type,
};

/// The tag that the probe has while it is there.
const TAG: &str = "flumen-check";

/// What came of a check in which everything that is needed worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The probe by its digest.
    pub reference: Reference,
    /// The tag that it was pushed under.
    pub tag: String,
    /// Why the probe could not be deleted again; `None` if it was.
    pub kept_because: Option<String>,
}

impl Client {
    /// Pushes a small image into the repository, reads it back and deletes it where the registry allows that. It is
    /// the same image each time, so that a registry which allows no deleting keeps one.
    ///
    /// # Errors
    /// `Denied` if we may not read or write, `Unavailable` or `Timeout` if the registry does not answer, `Invalid` if it
    /// is none or gives back something else.
    pub async fn check(&self, repository: &Reference) -> Result<Checked, Error> {
        self.ping(repository.registry()).await?;
        let target = repository.with_tag(TAG).map_err(|error| Error::UseDocument {
            what: repository.to_string(),
            problem: error.to_string(),
        })?;
        let scratch = tempfile::tempdir()
            .map_err(|source| Error::WriteFile { path: std::env::temp_dir(), source })?;
        let mut builder = LayerBuilder::new();
        let content = Content::Bytes(b"Flumen checks whether it can push here.\n".to_vec());
        builder.add("flumen-check.txt", content, Attributes::mode(0o644))?;
        let layers = [builder.write(Compression::Gzip, scratch.path().join("layer")).await?];
        let configuration = Configuration::default();
        let build = Build { target: &target, layers: &layers, configuration: &configuration };
        let documents = Documents::from_nothing(&build, &self.settings().platform)?;
        let [layer] = &layers;
        let silent = Progress::silent();
        let send = async |digest: &Digest, size: u64, source: Source<'_>| {
            // Also if it is there already: that we may send is what is asked.
            self.push_blob(&target, Outgoing { digest, size, source }, &silent).await
        };
        send(&layer.digest, layer.size, Source::File(&layer.path)).await?;
        let config: &Bytes = &documents.config;
        send(&documents.config_digest, config.len() as u64, Source::Bytes(config)).await?;
        self.push_manifest(&target, media_type::OCI_MANIFEST, documents.manifest).await?;
        let reference = target.with_digest(documents.manifest_digest);
        let image = self.pull_manifest(&reference).await?;
        if let Some(descriptor) = image.manifest.layers().first() {
            self.pull_blob_to(&reference, descriptor, &scratch.path().join("copy")).await?;
        }
        let kept_because =
            self.delete_manifest(&reference).await.err().map(|error| error.to_string());
        Ok(Checked { reference, tag: TAG.to_owned(), kept_because })
    }
}
