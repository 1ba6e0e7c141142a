//! Files in the data directory. A file gets its name only when it is complete and on disk, so whatever dies, what has
//! a name is whole.

mod lists;
mod manifests;
mod uploads;

use std::{
    collections::HashSet,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

pub(crate) use manifests::{Referrer, StoredManifest};
use tokio::{fs, io::AsyncWriteExt};
pub(crate) use uploads::{Received, Upload};
use uuid::Uuid;

use crate::{Error, digest::Digest};

const BLOBS: &str = "_blobs";
const MANIFESTS: &str = "_manifests";
const TAGS: &str = "_tags";
const REFERRERS: &str = "_referrers";

pub(crate) struct Storage {
    root: PathBuf,
    uploads: uploads::Uploads,
    /// Held as long as the registry runs.
    _lock: File,
}

impl Storage {
    /// Takes possession of a data directory and removes what an earlier registry left half-made.
    pub(crate) async fn open(root: PathBuf) -> Result<Self, Error> {
        tokio::task::spawn_blocking(move || {
            let lock = lock(&root)?;
            prepare(&root)?;
            Ok(Self { root, uploads: uploads::Uploads::default(), _lock: lock })
        })
        .await
        .unwrap_or_else(|error| Err(Error::Serve { source: io::Error::other(error) }))
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join("blobs").join(&hex[..2]).join(hex)
    }

    fn repository(&self, repository: &str, part: &str) -> PathBuf {
        self.root.join("repositories").join(repository).join(part)
    }

    /// The blob's file and size, if the repository has it.
    pub(crate) async fn open_blob(
        &self,
        repository: &str,
        digest: &Digest,
    ) -> io::Result<Option<(fs::File, u64)>> {
        if !self.has_blob(repository, digest).await? {
            return Ok(None);
        }
        let Some(file) = if_exists(fs::File::open(self.blob_path(digest)).await)? else {
            return Ok(None);
        };
        let size = file.metadata().await?.len();
        Ok(Some((file, size)))
    }

    /// Whether the repository has the blob.
    pub(crate) async fn has_blob(&self, repository: &str, digest: &Digest) -> io::Result<bool> {
        fs::try_exists(self.repository(repository, BLOBS).join(digest.hex())).await
    }

    /// Lets `repository` have a blob that `from`, or any repository at all, has. Says whether it was there.
    pub(crate) async fn mount(
        &self,
        repository: &str,
        digest: &Digest,
        from: Option<&str>,
    ) -> io::Result<bool> {
        let exists = match from {
            Some(from) => self.has_blob(from, digest).await?,
            None => fs::try_exists(self.blob_path(digest)).await?,
        };
        if exists {
            self.link_blob(repository, digest).await?;
        }
        Ok(exists)
    }

    /// Takes the blob from the repository. Says whether it had it.
    pub(crate) async fn unlink_blob(&self, repository: &str, digest: &Digest) -> io::Result<bool> {
        let link = self.repository(repository, BLOBS).join(digest.hex());
        Ok(if_exists(fs::remove_file(link).await)?.is_some())
    }

    async fn link_blob(&self, repository: &str, digest: &Digest) -> io::Result<()> {
        let directory = self.repository(repository, BLOBS);
        fs::create_dir_all(&directory).await?;
        fs::File::create(directory.join(digest.hex())).await.map(drop)
    }

    /// Gives a complete, synced file its name in the content store.
    async fn keep_blob(&self, partial: &Path, digest: &Digest) -> io::Result<()> {
        let path = self.blob_path(digest);
        let directory = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(directory).await?;
        fs::rename(partial, &path).await?;
        fs::File::open(directory).await?.sync_all().await
    }

    /// Writes a small file whole or not at all.
    async fn write_whole(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let partial = self.root.join("uploads").join(Uuid::new_v4().to_string());
        let written = async {
            let mut file = fs::File::create(&partial).await?;
            file.write_all(content).await?;
            file.sync_all().await?;
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory).await?;
            }
            fs::rename(&partial, path).await
        };
        let written = written.await;
        if written.is_err() {
            // On a full disk half a file would stay in the way until the next start.
            let _ = fs::remove_file(&partial).await;
        }
        written
    }
}

fn lock(root: &Path) -> Result<File, Error> {
    let fail = |source| Error::PrepareDirectory { path: root.to_owned(), source };
    std::fs::create_dir_all(root).map_err(fail)?;
    let file = File::create(root.join("lock")).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::LockDirectory { path: root.to_owned() }),
        Err(TryLockError::Error(source)) => Err(fail(source)),
    }
}

fn prepare(root: &Path) -> Result<(), Error> {
    let uploads = root.join("uploads");
    let step = || -> io::Result<()> {
        if_exists(std::fs::remove_dir_all(&uploads))?;
        for directory in ["uploads", "blobs", "repositories"] {
            std::fs::create_dir_all(root.join(directory))?;
        }
        remove_unused_blobs(root)
    };
    step().map_err(|source| Error::PrepareDirectory { path: root.to_owned(), source })
}

/// Removes blobs that no repository has: deleted ones, and those whose registry died before it told anyone of them.
fn remove_unused_blobs(root: &Path) -> io::Result<()> {
    let mut used = HashSet::new();
    for repository in lists::repositories(&root.join("repositories"))? {
        for part in [BLOBS, MANIFESTS] {
            used.extend(file_names(&root.join("repositories").join(&repository).join(part))?);
        }
    }
    for prefix in file_names(&root.join("blobs"))? {
        let directory = root.join("blobs").join(prefix);
        for name in file_names(&directory)? {
            if !used.contains(&name) {
                std::fs::remove_file(directory.join(name))?;
            }
        }
    }
    Ok(())
}

/// The names in a directory, none if it does not exist.
fn file_names(directory: &Path) -> io::Result<Vec<String>> {
    let Some(entries) = if_exists(std::fs::read_dir(directory))? else { return Ok(Vec::new()) };
    entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// `None` for what does not exist.
fn if_exists<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
