//! Files by their keys: a key is a path below the root of the storage, without a slash at either end.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use flumen_model::Secret;
use flumen_storage::Bucket;
use tokio::io::AsyncReadExt as _;

use super::below;
use crate::Error;

#[derive(Debug, Clone)]
pub(super) enum Tree {
    /// A directory of this machine.
    Directory {
        /// Where it lies here.
        root: PathBuf,
        /// Where Flink sees it.
        mount: String,
    },
    /// A bucket.
    Bucket {
        /// What reads it.
        bucket: Bucket,
        /// Below which everything of the environment lies.
        prefix: String,
        /// The environment, for messages.
        environment: String,
    },
}

/// The schemes by which Flink's plugins know S3.
const S3_SCHEMES: [&str; 3] = ["s3://", "s3a://", "s3p://"];

impl Tree {
    /// The key of what Flink sees there; none outside of the storage.
    pub(super) fn key(&self, plain_path: &str) -> Option<String> {
        let rest = match self {
            Self::Directory { mount, .. } => plain_path.strip_prefix(mount.as_str())?,
            Self::Bucket { bucket, .. } => S3_SCHEMES
                .iter()
                .find_map(|scheme| plain_path.strip_prefix(scheme))?
                .strip_prefix(bucket.name())?,
        };
        if rest.is_empty() {
            return Some(String::new());
        }
        let key = rest.strip_prefix('/')?;
        let key = key.trim_start_matches('/');
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        (key.is_empty() || key.split('/').all(is_plain)).then(|| key.to_owned())
    }

    /// As Flink writes it.
    pub(super) fn uri(&self, key: &str) -> String {
        match self {
            Self::Directory { mount, .. } => format!("file:{mount}/{key}"),
            Self::Bucket { bucket, .. } => format!("s3://{}/{key}", bucket.name()),
        }
    }

    /// Whether it lies in what belongs to the environment, and is not all of that.
    pub(super) fn owns(&self, key: &str) -> bool {
        match self {
            Self::Directory { .. } => !key.is_empty(),
            Self::Bucket { prefix, .. } if prefix.is_empty() => !key.is_empty(),
            Self::Bucket { prefix, .. } => key
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/')),
        }
    }

    /// The key of what lies directly below what belongs to the environment.
    pub(super) fn own(&self, name: &str) -> String {
        match self {
            Self::Directory { .. } => name.to_owned(),
            Self::Bucket { prefix, .. } => below(prefix, name),
        }
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, Error> {
        match self {
            Self::Directory { root, .. } => {
                let path = root.join(key);
                Ok(there(&path, tokio::fs::metadata(&path).await)?.is_some())
            }
            Self::Bucket { bucket, .. } => {
                Ok(bucket.size(key).await.map_err(|error| self.failed(error))?.is_some())
            }
        }
    }

    /// Whether nothing is there, neither a file nor a directory.
    pub(super) async fn is_empty(&self, key: &str) -> Result<bool, Error> {
        match self {
            Self::Directory { .. } => Ok(!self.exists(key).await?),
            Self::Bucket { bucket, .. } => {
                bucket.is_empty(key).await.map_err(|error| self.failed(error))
            }
        }
    }

    /// The names of the directories in this one, sorted.
    pub(super) async fn folders(&self, key: &str) -> Result<Vec<String>, Error> {
        match self {
            Self::Directory { root, .. } => folders(&root.join(key)).await,
            Self::Bucket { bucket, .. } => {
                bucket.folders(key).await.map_err(|error| self.failed(error))
            }
        }
    }

    pub(super) async fn read(&self, key: &str, limit: u64) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Directory { root, .. } => {
                let path = root.join(key);
                let Some(file) = there(&path, tokio::fs::File::open(&path).await)? else {
                    return Ok(None);
                };
                let mut content = Vec::new();
                let read = file.take(limit).read_to_end(&mut content).await;
                read.map_err(Error::file("read", &path))?;
                Ok(Some(content.into()))
            }
            Self::Bucket { bucket, .. } => {
                bucket.read(key, limit).await.map_err(|error| self.failed(error))
            }
        }
    }

    pub(super) async fn write(&self, key: &str, content: Bytes) -> Result<(), Error> {
        match self {
            Self::Directory { root, .. } => {
                let path = root.join(key);
                if let Some(directory) = path.parent() {
                    let made = tokio::fs::create_dir_all(directory).await;
                    made.map_err(Error::file("create", directory))?;
                }
                tokio::fs::write(&path, &content).await.map_err(Error::file("write", &path))
            }
            Self::Bucket { bucket, .. } => {
                bucket.write(key, content).await.map_err(|error| self.failed(error))
            }
        }
    }

    /// The size of a file; none if it is not there.
    pub(super) async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        match self {
            Self::Directory { root, .. } => {
                let path = root.join(key);
                let found = there(&path, tokio::fs::metadata(&path).await)?;
                Ok(found.map(|found| found.len()))
            }
            Self::Bucket { bucket, .. } => {
                bucket.size(key).await.map_err(|error| self.failed(error))
            }
        }
    }

    /// Puts a file of this machine there, which is seen when it is whole.
    pub(super) async fn put(&self, key: &str, file: &Path) -> Result<(), Error> {
        match self {
            Self::Directory { root, .. } => {
                let path = root.join(key);
                if let Some(directory) = path.parent() {
                    let made = tokio::fs::create_dir_all(directory).await;
                    made.map_err(Error::file("create", directory))?;
                }
                let mut part = path.clone().into_os_string();
                part.push(".part");
                tokio::fs::copy(file, &part).await.map_err(Error::file("write", &part))?;
                tokio::fs::rename(&part, &path).await.map_err(Error::file("write", &path))
            }
            Self::Bucket { bucket, .. } => {
                bucket.upload(key, file).await.map_err(|error| self.failed(error))
            }
        }
    }

    /// A link by which whoever has it reads a file for so long; none where there are no such links.
    pub(super) async fn link(&self, key: &str, valid: Duration) -> Result<Option<Secret>, Error> {
        match self {
            Self::Directory { .. } => Ok(None),
            Self::Bucket { bucket, .. } => {
                bucket.link(key, valid).await.map(Some).map_err(|error| self.failed(error))
            }
        }
    }

    /// Removes a directory with all that is in it; one that is not there is as good as removed.
    pub(super) async fn remove_below(&self, key: &str) -> Result<(), Error> {
        match self {
            Self::Directory { root, .. } => {
                let path = root.join(key);
                there(&path, tokio::fs::remove_dir_all(&path).await).map(drop)
            }
            Self::Bucket { bucket, .. } => {
                bucket.remove_below(key).await.map(drop).map_err(|error| self.failed(error))
            }
        }
    }

    fn failed(&self, source: flumen_storage::Error) -> Error {
        let environment = match self {
            Self::Directory { .. } => String::new(),
            Self::Bucket { environment, .. } => environment.clone(),
        };
        Error::Storage { environment, source: Box::new(source) }
    }
}

/// What is not there is no failure.
fn there<T>(path: &Path, result: std::io::Result<T>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(Error::file("look into", path)(error)),
    }
}

async fn folders(directory: &Path) -> Result<Vec<String>, Error> {
    let Some(mut entries) = there(directory, tokio::fs::read_dir(directory).await)? else {
        return Ok(Vec::new());
    };
    let failed = Error::file("look into", directory);
    let mut names = Vec::new();
    loop {
        let entry = match entries.next_entry().await {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(error) => return Err(failed(error)),
        };
        // Names that are not UTF-8 are none of Flink's.
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
