//! Copies of files of the local repository.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use tempfile::NamedTempFile;

use crate::{
    error::Error,
    local::{self, Durable},
};

/// A whole copy that has no name yet: it vanishes unless it is given one.
#[derive(Debug)]
pub struct Copied(NamedTempFile);

impl Copied {
    /// Copies a file into a directory, which is made if it is not there.
    ///
    /// # Errors
    /// `Unavailable` or `Denied` if it cannot be read or written.
    pub fn into_directory(from: &Path, directory: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Write { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        let mut builder = tempfile::Builder::new();
        let mut part =
            builder.prefix(".").suffix(".part").tempfile_in(directory).map_err(failed)?;
        let mut source =
            File::open(from).map_err(|source| Error::Read { path: from.to_owned(), source })?;
        io::copy(&mut source, part.as_file_mut()).map_err(failed)?;
        Ok(Self(part))
    }

    /// Gives it its name in that directory. The disk is not waited for: who loses power in the middle copies again.
    ///
    /// # Errors
    /// As [`Self::into_directory`].
    pub fn keep_as(self, to: &Path) -> Result<(), Error> {
        local::persist(self.0, to, Durable::No)
    }

    /// As [`Self::keep_as`], for what must be whole after the machine lost power, too.
    pub(crate) fn keep_for_good(self, to: &Path) -> Result<(), Error> {
        local::persist(self.0, to, Durable::Yes)
    }
}
