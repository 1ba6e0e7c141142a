//! The files of jobs, by the digest of their content.

use std::{io, path::PathBuf};

use bytes::Bytes;
use flumen_model::Digest;
use flumen_store::Principal;
use futures::{Stream, StreamExt};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncWriteExt as _, BufWriter},
    task::JoinHandle,
};

use crate::{Control, Error, clock, error::no_answer, release};

/// How many bytes are written at once.
const PIECE: usize = 1 << 20;
/// After how many bytes the disk is given something to do.
const SYNC_EVERY: u64 = 4 << 20;

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

    /// Takes an artifact in; its bytes must have the digest. Returns its size in bytes.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], [`Error::UploadBroken`] or [`Error::File`]; nothing of it stays then.
    pub async fn put_artifact<S, E>(&self, digest: &Digest, body: S) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let part = self
            .artifact_path(digest)
            .with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
        let part = Part(part);
        let size = write_checked(&part.0, digest, body).await?;
        self.settle(&part.0, digest, size).await?;
        Ok(size)
    }

    /// Takes in a file that lies complete beside the artifacts, under a name that ends in `.part`.
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
}

/// A file that is still written. It goes when it is dropped, also where nobody waits for it any more.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // Mostly it has its name by now.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn write_checked<S, E>(path: &std::path::Path, digest: &Digest, body: S) -> Result<u64, Error>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let failed = || Error::file("write", path);
    let file = tokio::fs::File::create(path).await.map_err(Error::file("create", path))?;
    let mut syncing = Syncing { file: file.try_clone().await.map_err(failed())?, running: None };
    let mut file = BufWriter::with_capacity(PIECE, file);
    let mut hash = Sha256::new();
    let (mut size, mut synced) = (0_u64, 0_u64);
    let mut body = std::pin::pin!(body);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| Error::UploadBroken { source: error.into() })?;
        hash.update(&piece);
        size += piece.len() as u64;
        file.write_all(&piece).await.map_err(failed())?;
        if size - synced >= SYNC_EVERY && syncing.begin().await.map_err(failed())? {
            synced = size;
        }
    }
    let actual = Digest::from_sha256(&hash.finalize().into());
    if actual != *digest {
        return Err(Error::DigestMismatch { announced: digest.clone(), actual });
    }
    // What was written last fails here or nowhere: a sync after it says nothing of it.
    file.flush().await.map_err(failed())?;
    syncing.end().await.map_err(failed())?;
    Ok(size)
}

/// Puts a file on the disk while it is still written, so that at its end little of it is waited for.
struct Syncing {
    file: tokio::fs::File,
    /// The system says of a failure once, so each is asked for.
    running: Option<JoinHandle<io::Result<()>>>,
}

impl Syncing {
    /// Begins with what was written so far; false if the disk is still at what was written before.
    async fn begin(&mut self) -> io::Result<bool> {
        if self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            return Ok(false);
        }
        self.wait().await?;
        let file = self.file.try_clone().await?;
        self.running = Some(tokio::spawn(async move { file.sync_data().await }));
        Ok(true)
    }

    async fn end(mut self) -> io::Result<()> {
        self.wait().await?;
        self.file.sync_all().await
    }

    async fn wait(&mut self) -> io::Result<()> {
        match self.running.take() {
            Some(running) => running.await.map_err(io::Error::other)?,
            None => Ok(()),
        }
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
