//! The data directory: its layout, its format, and the lock that keeps it to one process.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use crate::Error;

/// The layout that this version writes.
const FORMAT: u32 = 1;

/// A data directory that belongs to this process until this is dropped.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if it is not there, locks it and checks its format.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::DataDirectory { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed(path))?;
        let path = path.canonicalize().map_err(failed(path))?;
        let format = path.join("format");
        if is_of_another(&format) {
            return Err(Error::Owner { path });
        }
        let lock = take_lock(&path)?;
        match std::fs::read_to_string(&format) {
            Ok(text) if text.trim() == FORMAT.to_string() => {}
            Ok(text) => {
                return Err(Error::Format {
                    path,
                    found: text.trim().chars().take(40).collect(),
                    known: FORMAT,
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::write(&format, format!("{FORMAT}\n")).map_err(failed(&format))?;
            }
            Err(error) => return Err(failed(&format)(error)),
        }
        Ok(Self { path, _lock: lock })
    }

    fn part(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A directory that only its owner may look into: there are keys and Secrets in it.
    pub(crate) fn private(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.part(name);
        let made = || -> io::Result<()> {
            DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
            std::fs::set_permissions(&path, Permissions::from_mode(0o700))
        };
        made().map_err(|source| Error::DataDirectory { path: path.clone(), source })?;
        Ok(path)
    }

    /// What stands in a file that only its owner may read; it is written if it is not there.
    pub(crate) fn kept_private(
        &self,
        name: &str,
        make: impl FnOnce() -> String,
    ) -> Result<String, Error> {
        let path = self.part(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = make();
                self.write_private(name, &text)?;
                Ok(text)
            }
            Err(source) => Err(Error::DataDirectory { path, source }),
        }
    }

    /// Writes a file that only its owner may read, at once or not at all.
    pub(crate) fn write_private(&self, name: &str, content: &str) -> Result<PathBuf, Error> {
        let path = self.part(name);
        let draft = self.part(&format!("{name}.new"));
        let written = || -> io::Result<()> {
            let _ = std::fs::remove_file(&draft);
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(content.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)
        };
        written().map_err(|source| Error::DataDirectory { path: path.clone(), source })?;
        Ok(path)
    }
}

/// In images and volumes, what belongs to whom depends on who runs the pods.
fn is_of_another(format: &Path) -> bool {
    match format.metadata() {
        Ok(found) => found.uid() != rustix::process::geteuid().as_raw(),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// The lock lives as long as the process, however it ends; the file only tells who has it.
fn take_lock(directory: &Path) -> Result<File, Error> {
    let path = directory.join("lock");
    let failed = |source| Error::DataDirectory { path: path.clone(), source };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            let holder = if holder.is_empty() {
                "it is just starting".to_owned()
            } else {
                format!("process {holder}")
            };
            return Err(Error::InUse { path: directory.to_owned(), holder });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    let written = || -> io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    let mut written = written;
    written().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_cluster_on_the_same_directory_is_told_who_has_it() {
        let temporary = tempfile::tempdir().expect("directory");
        let path = temporary.path().join("deep/down");
        let first = DataDirectory::open(&path).expect("first");
        let error = DataDirectory::open(&path).expect_err("second").to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        DataDirectory::open(&path).expect("free again");
    }

    #[test]
    fn a_directory_of_a_newer_version_is_left_as_it_is() {
        let temporary = tempfile::tempdir().expect("directory");
        std::fs::write(temporary.path().join("format"), "7\n").expect("written");
        let error = DataDirectory::open(temporary.path()).expect_err("refused").to_string();
        assert!(error.contains("format \"7\"") && error.contains("format 1 only"), "{error}");
    }

    #[test]
    fn nobody_else_looks_into_the_parts_of_an_open_directory() {
        let temporary = tempfile::tempdir().expect("directory");
        std::fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).expect("open");
        std::fs::create_dir(temporary.path().join("apiserver")).expect("made by hand");
        let directory = DataDirectory::open(temporary.path()).expect("directory");
        for part in ["apiserver", "registry"] {
            let mode = directory
                .private(part)
                .expect("part")
                .metadata()
                .expect("metadata")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700, "{part}");
        }
    }

    #[test]
    fn private_files_are_for_their_owner_only_also_when_they_are_replaced() {
        let temporary = tempfile::tempdir().expect("directory");
        let directory = DataDirectory::open(temporary.path()).expect("directory");
        for content in ["one", "two"] {
            let path = directory.write_private("kubeconfig", content).expect("written");
            assert_eq!(std::fs::read_to_string(&path).expect("read"), content);
            assert_eq!(path.metadata().expect("metadata").permissions().mode() & 0o777, 0o600);
        }
    }
}
