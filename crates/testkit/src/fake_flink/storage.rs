//! Where snapshots lie: names as Flink makes them, and files where a test has given a directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What `_metadata` begins with, `Checkpoints.HEADER_MAGIC_NUMBER`, and a version.
const METADATA: [u8; 8] = [0x49, 0x60, 0x67, 0x2d, 0, 0, 0, 4];

#[derive(Debug)]
pub(super) struct Storage {
    /// Where checkpoints go: `execution.checkpointing.dir`.
    pub(super) checkpoints: String,
    /// Where savepoints go that were triggered without a directory: `execution.checkpointing.savepoint-dir`.
    pub(super) savepoints: String,
    /// How many checkpoints are retained: `execution.checkpointing.num-retained`.
    pub(super) retained: usize,
    /// Directories of this machine, by the URI that they stand for.
    mapped: Vec<(String, PathBuf)>,
    names: u64,
    /// All savepoints that were completed.
    pub(super) completed: Vec<String>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            checkpoints: "file:/flink/checkpoints".to_owned(),
            savepoints: "file:/flink/savepoints".to_owned(),
            retained: 1,
            mapped: Vec::new(),
            names: 0,
            completed: Vec::new(),
        }
    }
}

impl Storage {
    pub(super) fn map(&mut self, uri: &str, directory: &Path) {
        self.mapped.push((normal(uri), directory.to_owned()));
    }

    pub(super) fn checkpoint(&self, job: &str, id: u64) -> String {
        format!("{}/{job}/chk-{id}", normal(&self.checkpoints))
    }

    /// A new name in the directory, with twelve digits that Flink draws by lot.
    pub(super) fn savepoint(&mut self, target: &str, job: &str) -> String {
        self.names += 1;
        format!("{}/savepoint-{}-{:012x}", normal(target), &job[..6], 0x5901_0bb0_0000 + self.names)
    }

    /// Writes a snapshot, if it lies in a directory of this machine.
    pub(super) fn write(&self, path: &str) -> io::Result<()> {
        let Some(directory) = self.local(path) else { return Ok(()) };
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("_metadata"), METADATA)
    }

    pub(super) fn delete(&self, path: &str) {
        if let Some(directory) = self.local(path) {
            // Who looks after the files of a test may have been first.
            let _ = fs::remove_dir_all(directory);
        }
    }

    fn local(&self, path: &str) -> Option<PathBuf> {
        let path = normal(path);
        self.mapped.iter().find_map(|(uri, directory)| {
            let rest = path.strip_prefix(uri)?.strip_prefix('/')?;
            Some(directory.join(rest))
        })
    }
}

/// As Hadoop-style paths are printed: one slash after the scheme, none at the end.
fn normal(uri: &str) -> String {
    let uri = uri.trim_end_matches('/');
    match uri.strip_prefix("file:") {
        Some(path) => format!("file:/{}", path.trim_start_matches('/')),
        None => uri.to_owned(),
    }
}
