//! Manifests are content like any other; the repository adds their media type, their tags and who refers to whom.

use std::io;

use tokio::fs;

use super::{MANIFESTS, REFERRERS, Storage, TAGS, file_names, if_exists};
use crate::{digest::Digest, route::ManifestName};

/// A manifest as it was pushed.
pub(crate) struct StoredManifest {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

/// A manifest that names another one as its subject.
pub(crate) struct Referrer {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl Storage {
    pub(crate) async fn manifest(
        &self,
        repository: &str,
        name: &ManifestName,
    ) -> io::Result<Option<StoredManifest>> {
        let digest = match name {
            ManifestName::Digest(digest) => digest.clone(),
            ManifestName::Tag(tag) => match self.tagged(repository, tag).await? {
                Some(digest) => digest,
                None => return Ok(None),
            },
        };
        let link = self.repository(repository, MANIFESTS).join(digest.hex());
        let Some(media_type) = if_exists(fs::read_to_string(link).await)? else { return Ok(None) };
        let Some(bytes) = if_exists(fs::read(self.blob_path(&digest)).await)? else {
            return Ok(None);
        };
        Ok(Some(StoredManifest { digest, media_type, bytes }))
    }

    pub(crate) async fn has_manifest(&self, repository: &str, digest: &Digest) -> io::Result<bool> {
        fs::try_exists(self.repository(repository, MANIFESTS).join(digest.hex())).await
    }

    async fn tagged(&self, repository: &str, tag: &str) -> io::Result<Option<Digest>> {
        let text =
            if_exists(fs::read_to_string(self.repository(repository, TAGS).join(tag)).await)?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    /// Stores a manifest that was checked, under its digest and `tag`.
    pub(crate) async fn keep_manifest(
        &self,
        repository: &str,
        manifest: &StoredManifest,
        tag: Option<&str>,
        subject: Option<&Digest>,
    ) -> io::Result<()> {
        self.keep_bytes(&manifest.bytes, &manifest.digest).await?;
        if let Some(subject) = subject {
            let directory = self.repository(repository, REFERRERS).join(subject.hex());
            fs::create_dir_all(&directory).await?;
            fs::File::create(directory.join(manifest.digest.hex())).await?;
        }
        let link = self.repository(repository, MANIFESTS).join(manifest.digest.hex());
        self.write_whole(&link, manifest.media_type.as_bytes()).await?;
        if let Some(tag) = tag {
            let path = self.repository(repository, TAGS).join(tag);
            self.write_whole(&path, manifest.digest.to_string().as_bytes()).await?;
        }
        Ok(())
    }

    /// Removes a tag, or a manifest with the tags that point to it. Says whether there was one.
    pub(crate) async fn delete_manifest(
        &self,
        repository: &str,
        name: &ManifestName,
    ) -> io::Result<bool> {
        let tags = self.repository(repository, TAGS);
        match name {
            ManifestName::Tag(tag) => {
                Ok(if_exists(fs::remove_file(tags.join(tag)).await)?.is_some())
            }
            ManifestName::Digest(digest) => {
                for tag in self.tags(repository).await?.unwrap_or_default() {
                    if self.tagged(repository, &tag).await?.as_ref() == Some(digest) {
                        if_exists(fs::remove_file(tags.join(&tag)).await)?;
                    }
                }
                let link = self.repository(repository, MANIFESTS).join(digest.hex());
                Ok(if_exists(fs::remove_file(link).await)?.is_some())
            }
        }
    }

    /// The manifests in the repository whose subject is `subject`, by digest.
    pub(crate) async fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> io::Result<Vec<Referrer>> {
        let mut names = file_names(&self.repository(repository, REFERRERS).join(subject.hex()))?;
        names.sort();
        let mut referrers = Vec::new();
        for digest in names.iter().filter_map(|hex| Digest::from_hex(hex)) {
            // A deleted manifest keeps its entry here, and is passed over.
            if let Some(stored) = self.manifest(repository, &ManifestName::Digest(digest)).await? {
                let StoredManifest { digest, media_type, bytes } = stored;
                referrers.push(Referrer { digest, media_type, bytes });
            }
        }
        Ok(referrers)
    }
}
