//! The files of jobs, by the digest of their content.

mod part;

use std::{io, path::PathBuf};

use bytes::Bytes;
use flumen_model::{Digest, TeamId};
use flumen_store::Principal;
use futures::Stream;

pub(crate) use self::part::Part;
use crate::{Control, Error, clock, error::no_answer, release};

impl Control {
    /// The size of an artifact in bytes, if all of it is here.
    pub async fn artifact(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        Ok(self.store().artifact_size(digest).await?)
    }

    /// The file of an artifact, and its size in bytes; none if it is not here.
    ///
    /// # Errors
    /// [`Error::File`], or what the database says.
    pub async fn open_artifact(
        &self,
        digest: &Digest,
    ) -> Result<Option<(tokio::fs::File, u64)>, Error> {
        let Some(size) = self.artifact(digest).await? else { return Ok(None) };
        let path = self.artifact_path(digest);
        let file = tokio::fs::File::open(&path).await.map_err(Error::file("open", &path))?;
        Ok(Some((file, size)))
    }

    /// Remembers that the principal's team has uploaded an artifact.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn own_artifact(&self, principal: &Principal, digest: &Digest) -> Result<(), Error> {
        Ok(self.store().own_artifact(digest, principal.team).await?)
    }

    /// How many bytes are here of an artifact whose upload broke off, for the principal's team to go on from.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn uploaded_part(
        &self,
        principal: &Principal,
        digest: &Digest,
    ) -> Result<u64, Error> {
        let path = self.upload_path(digest, principal.team);
        match tokio::fs::metadata(&path).await {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(Error::file("look at", &path)(error)),
        }
    }

    /// Takes in what the principal's team sends of an artifact, from `offset` on: all of it, or the rest of an upload that
    /// broke off. All of it must have the digest, and is then the team's. Returns its size in bytes.
    ///
    /// What has arrived when the upload breaks off stays, for as long as what nothing needs.
    ///
    /// # Errors
    /// [`Error::UploadOffset`], [`Error::UploadBroken`]; [`Error::DigestMismatch`], [`Error::ArtifactTooLarge`] or
    /// [`Error::File`], and nothing of it stays.
    pub async fn upload_artifact<S, E>(
        &self,
        principal: &Principal,
        (digest, offset): (&Digest, u64),
        body: S,
    ) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if offset > 0 {
            let length = self.uploaded_part(principal, digest).await?;
            if length != offset {
                return Err(Error::UploadOffset { offset, length: Some(length) });
            }
        }
        let mut part = match Part::resumable(self.upload_path(digest, principal.team)).await? {
            Some(part) if offset == 0 || offset == part.length() => part,
            // Another upload of the same file goes on beside this one.
            None if offset == 0 => self.private_part(digest).await?,
            part => {
                let length = part.map(|part| part.length());
                return Err(Error::UploadOffset { offset, length });
            }
        };
        let limit = Some(self.settings().artifact_limit);
        let size = part.write((offset, limit), digest, body).await?;
        self.settle(part.path(), digest, size).await?;
        self.own_artifact(principal, digest).await?;
        Ok(size)
    }

    /// Takes in an artifact that the server makes itself; its bytes must have the digest. Returns its size in bytes.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], [`Error::UploadBroken`] or [`Error::File`]; nothing of it stays then.
    pub async fn put_artifact<S, E>(&self, digest: &Digest, body: S) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut part = self.private_part(digest).await?;
        let size = part.write((0, None), digest, body).await?;
        self.settle(part.path(), digest, size).await?;
        Ok(size)
    }

    async fn private_part(&self, digest: &Digest) -> Result<Part, Error> {
        let extension = format!("{}.part", uuid::Uuid::new_v4().simple());
        Part::private(self.artifact_path(digest).with_extension(extension)).await
    }

    /// Takes in a file that lies complete beside the artifacts, under a name of its own.
    pub(crate) async fn settle(
        &self,
        part: &std::path::Path,
        digest: &Digest,
        size: u64,
    ) -> Result<(), Error> {
        let path = self.artifact_path(digest);
        // From the file to the row nobody takes it for one that is left over.
        let _taking = self.keeping().taking().await;
        self.faults()
            .around("file.save-artifact", tokio::fs::rename(part, &path), no_answer)
            .await
            .map_err(Error::file("rename", part))?;
        Ok(self.store().save_artifact(digest, size, clock::now()).await?)
    }

    /// The directory of the artifacts.
    pub(crate) fn artifacts_directory(&self) -> PathBuf {
        self.settings().data_directory.join("artifacts")
    }

    /// Where the artifact's file lies.
    pub(crate) fn artifact_path(&self, digest: &Digest) -> PathBuf {
        self.artifacts_directory().join(digest.hex())
    }

    /// Where what the team has sent of an artifact lies.
    fn upload_path(&self, digest: &Digest, team: TeamId) -> PathBuf {
        self.artifact_path(digest).with_extension(format!("{team}.upload"))
    }
}

/// Refuses a name that cannot be that of a file in an image.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.contains('/') || name.starts_with('.') || release::is_generated(name)
    {
        let message = format!("{name:?} cannot be the file name of an artifact");
        return Err(Error::Invalid { message });
    }
    Ok(())
}

/// The first bytes of a zip archive: a file, an empty archive.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Whether a file is a jar by its name.
pub(crate) fn is_jar(name: &str) -> bool {
    let extension = std::path::Path::new(name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jar"))
}

/// Refuses a `.jar` that is no zip archive, before it is built into an image and fails in a pod.
pub(crate) async fn check_jar(path: &std::path::Path, name: &str) -> Result<(), Error> {
    use tokio::io::AsyncReadExt;

    if !is_jar(name) {
        return Ok(());
    }
    let mut head = Vec::new();
    let file = tokio::fs::File::open(path).await.map_err(Error::file("open", path))?;
    file.take(4).read_to_end(&mut head).await.map_err(Error::file("read", path))?;
    if ZIP.contains(&head.as_slice()) {
        return Ok(());
    }
    let message = format!(
        "the artifact {name} is no jar: it does not begin like a zip archive; was it built or downloaded completely?"
    );
    Err(Error::Invalid { message })
}
