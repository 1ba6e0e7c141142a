use std::{
    ops::Deref,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// A directory of one test, removed at its end; kept, with its path printed, if the test fails.
#[derive(Debug)]
pub struct TempDirectory(Option<TempDir>);

impl TempDirectory {
    /// Makes an empty directory.
    #[expect(
        clippy::new_without_default,
        reason = "a default that touches the disk would surprise"
    )]
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("flumen-test-").tempdir();
        Self(Some(directory.expect("the temporary directory can be written")))
    }

    /// Writes a file, with the directories on the way to it, and gives its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in the directory")).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Deref for TempDirectory {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.0.as_ref().expect("it is there until it is dropped").path()
    }
}

impl Drop for TempDirectory {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(directory) = self.0.take()
        {
            use std::io::Write as _;
            let path = directory.keep();
            let _ = writeln!(std::io::stderr(), "the test's files are kept in {}", path.display());
        }
    }
}
