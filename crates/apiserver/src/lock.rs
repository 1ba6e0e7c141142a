//! One process at a time writes a data directory.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::Path,
};

use crate::Error;

/// Held for as long as the directory is used; the system lets go of it when the process dies.
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    pub(crate) fn take(directory: &Path) -> Result<Self, Error> {
        fs::create_dir_all(directory)
            .map_err(|source| Error::CreateDirectory { path: directory.to_owned(), source })?;
        let path = directory.join("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| Error::WriteFile { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path: directory.to_owned() }),
            Err(TryLockError::Error(source)) => Err(Error::WriteFile { path, source }),
        }
    }
}
