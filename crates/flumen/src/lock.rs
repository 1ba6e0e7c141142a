//! One process of a kind per data directory.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail};

/// Held until it is dropped; the kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Makes the data directory if it is not there, and takes the lock `name` in it.
pub(crate) fn take(data_directory: &Path, name: &str, what: &str) -> Result<Lock> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data_directory);
    made.with_context(|| {
        format!("could not make the data directory {}", data_directory.display())
    })?;
    let path = data_directory.join(format!("{name}.lock"));
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let unusable = || format!("could not use {} in the data directory", path.display());
    let mut file = opened.with_context(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            bail!(
                "{what} runs already with the data directory {} (process {}); stop that one first, or choose another directory with --data-directory",
                data_directory.display(),
                holder.trim()
            );
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(unusable),
    }
    file.set_len(0).with_context(unusable)?;
    file.rewind().with_context(unusable)?;
    writeln!(file, "{}", std::process::id()).with_context(unusable)?;
    Ok(Lock { _file: file })
}

/// Whether another process holds the lock just now.
pub(crate) fn is_held(path: &Path) -> bool {
    File::open(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_and_told_who_has_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = take(directory.path(), "up", "flumen up").expect("free");
        assert!(is_held(&directory.path().join("up.lock")));
        let error = take(directory.path(), "up", "flumen up").expect_err("taken").to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(first);
        take(directory.path(), "up", "flumen up").expect("free again");
    }
}
