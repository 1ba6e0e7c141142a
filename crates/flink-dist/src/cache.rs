//! The directory that distributions are kept in. What has its name there is complete; what is being put together lies
//! beside it, under the lock of its version.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use flumen_model::FlinkVersion;

use crate::{Distribution, Error};

/// How often a waiting process looks whether the other one is done.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The place of one version in the cache.
pub(crate) struct Slot {
    directory: PathBuf,
    version: FlinkVersion,
}

/// The right to fill a slot, given up when dropped, also by the system when the process dies.
pub(crate) struct Filling {
    scratch: tempfile::TempDir,
    target: PathBuf,
    version: FlinkVersion,
    _lock: File,
}

impl Slot {
    pub(crate) fn new(cache: &Path, version: FlinkVersion) -> Self {
        Self { directory: cache.join("flink"), version }
    }

    fn target(&self) -> PathBuf {
        self.directory.join(self.version.to_string())
    }

    /// What is there, if it is complete.
    pub(crate) fn find(&self) -> Result<Option<Distribution>, Error> {
        let target = self.target();
        if target.try_exists().map_err(|source| Error::Read { path: target.clone(), source })? {
            Distribution::open(&target, self.version).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Waits for the lock and clears what a process that died has left. `waiting` is called once if another one holds it.
    pub(crate) async fn fill(&self, waiting: impl Fn()) -> Result<Filling, Error> {
        let write_error = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Write { path, source }
        };
        std::fs::create_dir_all(&self.directory).map_err(write_error(&self.directory))?;
        let lock_path = self.directory.join(format!(".{}.lock", self.version));
        let lock = File::create(&lock_path).map_err(write_error(&lock_path))?;
        let mut has_told = false;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    if !has_told {
                        waiting();
                        has_told = true;
                    }
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(TryLockError::Error(source)) => {
                    return Err(Error::Write { path: lock_path, source });
                }
            }
        }
        let prefix = format!(".{}.partial-", self.version);
        self.remove_leftovers(&prefix);
        let scratch = tempfile::TempDir::with_prefix_in(&prefix, &self.directory)
            .map_err(write_error(&self.directory))?;
        Ok(Filling { scratch, target: self.target(), version: self.version, _lock: lock })
    }

    /// What cannot be removed now, because a pip without its parent still writes there, goes the next time.
    fn remove_leftovers(&self, prefix: &str) {
        for entry in std::fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix)
                && let Err(error) = std::fs::remove_dir_all(entry.path())
            {
                tracing::debug!(%error, path = %entry.path().display(), "could not remove half a download");
            }
        }
    }
}

impl Filling {
    /// A directory on the cache's disk that vanishes afterwards.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Checks the home that was put together and gives it its name.
    pub(crate) fn complete(self, home: &Path) -> Result<Distribution, Error> {
        Distribution::open(home, self.version)?;
        std::fs::rename(home, &self.target)
            .map_err(|source| Error::Write { path: self.target.clone(), source })?;
        Distribution::open(&self.target, self.version)
    }
}
