//! The local repository, in Maven's own layout, so that Maven and Flumen find what the other one fetched.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tempfile::NamedTempFile;

use crate::error::Error;

/// Where Maven notes which repository a file came from.
const ORIGINS: &str = "_remote.repositories";
const ORIGINS_HEAD: &str = "#NOTE: This is a Maven Resolver internal implementation file, its format can be changed without prior notice.\n";

#[derive(Debug)]
pub(crate) struct Local {
    root: PathBuf,
    /// Held while the origins of a directory are written.
    origins: Mutex<()>,
}

impl Local {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, origins: Mutex::new(()) }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The file, if it is there.
    pub(crate) fn find(&self, path: &str) -> Option<PathBuf> {
        let path = self.path(path);
        path.is_file().then_some(path)
    }

    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(path);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// A file beside the place of `path`, which vanishes unless it is stored.
    pub(crate) fn begin(&self, path: &str) -> Result<NamedTempFile, Error> {
        let target = self.path(path);
        let directory = target.parent().unwrap_or(&self.root);
        let failed = |source| Error::Write { path: directory.to_owned(), source };
        // Another process may remove the directory, while it is empty, between these two.
        let begin = || {
            fs::create_dir_all(directory)?;
            tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(directory)
        };
        begin().or_else(|_| begin()).map_err(failed)
    }

    /// Removes the directories of a file that nobody has, as far as nothing lies in them.
    pub(crate) fn forget_empty(&self, path: &str) {
        let mut directory = self.path(path);
        // One level is enough for what belongs to one version; whoever uses the directory at this moment keeps it.
        directory.pop();
        let _ = fs::remove_dir(directory);
    }

    /// Gives a whole file its name, and notes where it came from. The disk is waited for beside other work: several
    /// files that wait for it at once wait little longer than one.
    pub(crate) async fn store(
        &self,
        part: NamedTempFile,
        path: &str,
        origin: &str,
    ) -> Result<PathBuf, Error> {
        let target = self.path(path);
        let place = target.clone();
        let stored = tokio::task::spawn_blocking(move || persist(part, &place, Durable::Yes)).await;
        let interrupted = |error| {
            let source = io::Error::other(error);
            Err(Error::Write { path: target.clone(), source })
        };
        stored.unwrap_or_else(interrupted)?;
        self.note_origin(&target, origin)?;
        Ok(target)
    }

    /// Writes a small file in one step.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut part = self.begin(path)?;
        let target = self.path(path);
        part.write_all(bytes).map_err(|source| Error::Write { path: target.clone(), source })?;
        persist(part, &target, Durable::No)
    }

    fn note_origin(&self, file: &Path, origin: &str) -> Result<(), Error> {
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
        let path = file.with_file_name(ORIGINS);
        let line = format!("{name}>{origin}=");
        let _held = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = fs::read_to_string(&path).unwrap_or_else(|_| ORIGINS_HEAD.to_owned());
        if text.lines().any(|known| known == line) {
            return Ok(());
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&line);
        text.push('\n');
        let failed = |source| Error::Write { path: path.clone(), source };
        let directory = path.parent().unwrap_or(&self.root);
        let mut part = NamedTempFile::new_in(directory).map_err(failed)?;
        part.write_all(text.as_bytes()).map_err(failed)?;
        persist(part, &path, Durable::No)
    }
}

/// Whether a file must be whole after the machine lost power, too. Checksums and notes need not: they are made again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    Yes,
    No,
}

/// Gives a file its name; readers see it whole or not at all.
pub(crate) fn persist(part: NamedTempFile, target: &Path, durable: Durable) -> Result<(), Error> {
    let failed = |source| Error::Write { path: target.to_owned(), source };
    let mode: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    part.as_file().set_permissions(mode).map_err(failed)?;
    if durable == Durable::Yes {
        part.as_file().sync_all().map_err(failed)?;
    }
    part.persist(target).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stored_file_is_whole_and_has_its_origin() {
        let directory = tempfile::tempdir().expect("a directory");
        let local = Local::new(directory.path().to_owned());
        for name in ["g/a/1/a-1.pom", "g/a/1/a-1.jar", "g/a/1/a-1.jar"] {
            let mut part = local.begin(name).expect("a part");
            part.write_all(b"x").expect("written");
            local.store(part, name, "central").await.expect("stored");
        }
        assert_eq!(local.read("g/a/1/a-1.jar").expect("read").as_deref(), Some(&b"x"[..]));
        let origins = local.read("g/a/1/_remote.repositories").expect("read").expect("there");
        let origins = String::from_utf8(origins).expect("text");
        assert_eq!(
            origins.lines().skip(1).collect::<Vec<_>>(),
            ["a-1.pom>central=", "a-1.jar>central="]
        );
        assert_eq!(local.read("g/a/1/a-1.jar/x").expect("no failure"), None);
        drop(local.begin("g/a/1/b.jar").expect("a part"));
        assert_eq!(fs::read_dir(local.path("g/a/1")).expect("listed").count(), 3);
    }
}
