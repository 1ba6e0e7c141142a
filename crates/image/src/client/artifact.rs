//! What a registry keeps that is no image: files, each a layer as it is (OCI image specification, "artifacts").

use flumen_model::Digest;
use oci_spec::image::{Descriptor, ImageManifest};

use super::{Client, digest_from, parse};
use crate::{Error, Reference, media_type};

/// A file that is a layer of a manifest.
#[derive(Debug, Clone)]
pub struct ArtifactFile {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// What [`Client::pull_blob_to`] takes.
    pub descriptor: Descriptor,
}

impl Client {
    /// The one file under a name.
    ///
    /// # Errors
    /// `NotFound` if there is nothing under the name, `Denied` if we may not read it, `Invalid` if it is not one file but
    /// several, or an image, `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn artifact_file(&self, reference: &Reference) -> Result<ArtifactFile, Error> {
        let document = self.fetch_document(reference).await?;
        let what = || format!("what {reference} names");
        let refuse = |problem: String| Error::UseDocument { what: what(), problem };
        if !media_type::is_manifest(&document.media_type) {
            return Err(refuse(format!(
                "its type is {}, which is no manifest",
                document.media_type
            )));
        }
        let manifest: ImageManifest = parse(&document.bytes, what())?;
        let [layer] = manifest.layers().as_slice() else {
            let count = manifest.layers().len();
            return Err(refuse(format!("it has {count} layers, and a file is one")));
        };
        let media_type = layer.media_type().to_string();
        if media_type::in_oci_words(&media_type).contains("image.layer") {
            return Err(refuse(format!("its layer is of the type {media_type}: it is an image")));
        }
        let digest = digest_from(layer.digest(), reference)?;
        Ok(ArtifactFile { digest, size: layer.size(), descriptor: layer.clone() })
    }
}
