//! The files of the store: the newest snapshot counts, and the logs that begin where it ends.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    log::{self, MAGIC, Operation, Record},
    object::Object,
};
use crate::Error;

/// The name of a snapshot that is being written.
pub(super) const UNFINISHED: &str = "snapshot.new";
/// What the last record of a snapshot is of; no kind is called so.
const END: &str = "";

/// The state at one revision, to be written.
pub(super) struct Snapshot {
    pub(super) directory: PathBuf,
    pub(super) revision: u64,
    pub(super) objects: Vec<(&'static str, Arc<str>, Arc<Object>)>,
}

impl Snapshot {
    /// Writes the snapshot, gives it its name and removes what it replaces; returns its size.
    pub(super) fn write(&self) -> io::Result<u64> {
        let temporary = self.directory.join(UNFINISHED);
        self.write_by_way_of(&temporary).inspect_err(|_| {
            // A full disk must not stay full of what is of no use.
            let _ = fs::remove_file(&temporary);
        })
    }

    fn write_by_way_of(&self, temporary: &Path) -> io::Result<u64> {
        let mut file = io::BufWriter::new(File::create(temporary)?);
        file.write_all(MAGIC)?;
        let mut size = MAGIC.len() as u64;
        let mut buffer = Vec::new();
        let count = self.objects.len().to_string();
        let objects = self.objects.iter().map(|(storage, key, object)| {
            let operation = Operation { storage, key, delete: false, json: &object.json };
            (object.revision, operation)
        });
        let end = Operation { storage: END, key: &count, delete: false, json: &[] };
        for (revision, operation) in objects.chain([(self.revision, end)]) {
            buffer.clear();
            log::encode(&mut buffer, (revision, 0), std::iter::once(operation))?;
            file.write_all(&buffer)?;
            size += buffer.len() as u64;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(temporary, snapshot_path(&self.directory, self.revision))?;
        File::open(&self.directory)?.sync_all()?;
        remove_older(&self.directory, self.revision);
        Ok(size)
    }
}

/// The number of objects and the revision, if the record is the last one of a snapshot.
pub(super) fn end_of_snapshot(record: &Record<'_>) -> Option<(usize, u64)> {
    let mut operations = record.operations();
    let (revision, end) = operations.next().filter(|(_, operation)| operation.storage == END)?;
    Some((end.key.parse().ok()?, revision))
}

fn snapshot_path(directory: &Path, revision: u64) -> PathBuf {
    directory.join(format!("snapshot-{revision:020}"))
}

pub(super) struct Files {
    pub(super) snapshots: Vec<(u64, PathBuf)>,
    pub(super) logs: Vec<(u64, PathBuf)>,
}

pub(super) fn list(directory: &Path) -> Result<Files, Error> {
    let failed = |source| Error::ReadFile { path: directory.to_owned(), source };
    let mut files = Files { snapshots: Vec::new(), logs: Vec::new() };
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let numbered =
            |prefix: &str| name.strip_prefix(prefix).and_then(|number| number.parse().ok());
        if let Some(revision) = numbered("snapshot-") {
            files.snapshots.push((revision, path));
        } else if let Some(base) = numbered("log-") {
            files.logs.push((base, path));
        }
    }
    files.snapshots.sort();
    files.logs.sort();
    Ok(files)
}

/// Removes what a snapshot has made superfluous; what cannot be removed is only superfluous.
pub(super) fn remove_older(directory: &Path, snapshot_revision: u64) {
    let Ok(files) = list(directory) else { return };
    for (revision, path) in files.snapshots.iter().chain(&files.logs) {
        if *revision < snapshot_revision {
            let _ = fs::remove_file(path);
        }
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::ReadFile { path: path.to_owned(), source })
}
