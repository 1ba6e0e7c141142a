//! Layers on top of every image of an index.

use super::{Append, Documents, Pushed, documents};
use crate::{Client, Error, Platform, Progress, client::images_in, hashing::digest_of, media_type};

/// What was made of an index of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedIndex {
    /// The new index; if the base is no index, the new image.
    pub index: Pushed,
    /// The images that it names, in the order of the base; none if the base is no index.
    pub images: Vec<(Platform, Pushed)>,
}

impl Client {
    /// Puts layers on each image of the base, whatever our platform is, and stores the images and an index of them.
    /// What the base's index names besides images, such as signatures of them, is left out: it is not true of the new ones.
    ///
    /// # Errors
    /// As [`Client::append`].
    pub async fn append_all(
        &self,
        append: &Append<'_>,
        progress: &Progress,
    ) -> Result<PushedIndex, Error> {
        let document = self.fetch_document(append.base).await?;
        if !media_type::is_index(&document.media_type) {
            let base = self.image_of(append.base, document).await?;
            let documents = Documents::on_base(&base, append)?;
            let index =
                self.store(append.target, append.layers, Some(&base), documents, progress).await?;
            return Ok(PushedIndex { index, images: Vec::new() });
        }
        let mut images = Vec::new();
        let mut entries = Vec::new();
        for image in images_in(append.base, &document)? {
            let base = self.pull_manifest(&append.base.with_digest(image.digest)).await?;
            let documents = Documents::on_base(&base, append)?;
            let size = documents.manifest.len() as u64;
            let target = append.target.with_digest(documents.manifest_digest.clone());
            let pushed =
                self.store(&target, append.layers, Some(&base), documents, progress).await?;
            entries.push((pushed.digest.clone(), size, image.written));
            images.push((image.platform, pushed));
        }
        if images.is_empty() {
            return Err(Error::UseDocument {
                what: format!("the index of {}", append.base),
                problem: "it names no image that runs on any platform".to_owned(),
            });
        }
        let bytes = documents::index(&entries, &documents::annotations(append, &document.digest));
        let (digest, manifest_bytes) = (digest_of(&bytes), bytes.len() as u64);
        let reference = append.target.with_digest(digest.clone());
        let has_tag = append.target.tag().is_some();
        let name = if has_tag { append.target.without_digest() } else { reference.clone() };
        if self.manifest_digest(&name).await?.as_ref() != Some(&digest) {
            self.push_manifest(&name, media_type::OCI_INDEX, bytes).await?;
        }
        let sent_bytes = images.iter().map(|(_, pushed)| pushed.sent_bytes).sum();
        let index = Pushed { reference, digest, manifest_bytes, sent_bytes };
        Ok(PushedIndex { index, images })
    }
}
