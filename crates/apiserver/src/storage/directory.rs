//! The files of the store: at most one good snapshot counts, and the logs that begin where it ends.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    log::{self, Log, MAGIC, Operation, Record},
    object::Object,
};
use crate::Error;

/// The name of a snapshot that is being written.
const UNFINISHED: &str = "snapshot.new";

/// What was found in the directory.
pub(super) struct Recovered {
    pub(super) log: Log,
    pub(super) snapshot_revision: u64,
    pub(super) snapshot_bytes: u64,
}

/// The state at one revision, to be written.
pub(super) struct Snapshot {
    pub(super) directory: PathBuf,
    pub(super) revision: u64,
    pub(super) objects: Vec<(&'static str, Arc<str>, Arc<Object>)>,
}

/// Reads the newest snapshot and the logs after it; `replay` gets each record and whether it is from the snapshot.
pub(super) fn recover(
    directory: &Path,
    mut replay: impl FnMut(&Record<'_>, bool),
) -> Result<Recovered, Error> {
    fs::create_dir_all(directory)
        .map_err(|source| Error::CreateDirectory { path: directory.to_owned(), source })?;
    let _ = fs::remove_file(directory.join(UNFINISHED));
    let files = list(directory)?;
    let snapshot = files.snapshots.last();
    let mut snapshot_bytes = 0;
    if let Some((_, path)) = snapshot {
        let bytes = read(path)?;
        snapshot_bytes = bytes.len() as u64;
        let good = scan(path, &bytes, |record| replay(record, true))?;
        if good != bytes.len() {
            // A snapshot gets its name only after the whole of it is on disk.
            return Err(Error::Damaged { path: path.clone(), offset: good as u64 });
        }
    }
    let snapshot_revision = snapshot.map_or(0, |(revision, _)| *revision);
    let logs: Vec<&(u64, PathBuf)> =
        files.logs.iter().filter(|(base, _)| *base >= snapshot_revision).collect();
    let mut current = None;
    for (position, (base, path)) in logs.iter().enumerate() {
        let bytes = read(path)?;
        let good = scan(path, &bytes, |record| replay(record, false))?;
        let last = position + 1 == logs.len();
        if good != bytes.len() {
            if !last {
                return Err(Error::Damaged { path: path.clone(), offset: good as u64 });
            }
            check_torn_tail(path, &bytes, good)?;
        }
        if last {
            // Without its first bytes it is no log yet: it was being made when the process ended.
            current = Some(if good == 0 {
                Log::create(directory, *base)?
            } else {
                Log::resume(path, good as u64)?
            });
        }
    }
    let log = match current {
        Some(log) => log,
        None => Log::create(directory, snapshot_revision)?,
    };
    remove_older(directory, snapshot_revision);
    Ok(Recovered { log, snapshot_revision, snapshot_bytes })
}

/// Feeds all good records from the start; returns where they end.
fn scan(path: &Path, bytes: &[u8], mut each: impl FnMut(&Record<'_>)) -> Result<usize, Error> {
    match bytes.get(..MAGIC.len()) {
        Some(magic) if magic == MAGIC => {}
        // The file was made but its first bytes never reached the disk.
        None => return Ok(0),
        Some(_) => return Err(Error::Format { path: path.to_owned() }),
    }
    let mut offset = MAGIC.len();
    while let Some((record, length)) = log::decode(&bytes[offset..]) {
        each(&record);
        offset += length;
    }
    Ok(offset)
}

/// A write that was cut short leaves nothing good behind it; anything else is damage that must not be passed over.
fn check_torn_tail(path: &Path, bytes: &[u8], good: usize) -> Result<(), Error> {
    let rest = bytes.get(good..).unwrap_or_default();
    // What is damaged may be the length, so the next record may begin anywhere.
    if (1..rest.len()).any(|start| log::decode(&rest[start..]).is_some()) {
        return Err(Error::Damaged { path: path.to_owned(), offset: good as u64 });
    }
    if !rest.is_empty() {
        tracing::warn!(path = %path.display(), bytes = rest.len(), "dropped the unfinished last write of the log");
    }
    Ok(())
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
        for (storage, key, object) in &self.objects {
            buffer.clear();
            let operation = Operation { storage, key, delete: false, json: &object.json };
            log::encode(&mut buffer, object.revision, std::iter::once(operation));
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

fn snapshot_path(directory: &Path, revision: u64) -> PathBuf {
    directory.join(format!("snapshot-{revision:020}"))
}

struct Files {
    snapshots: Vec<(u64, PathBuf)>,
    logs: Vec<(u64, PathBuf)>,
}

fn list(directory: &Path) -> Result<Files, Error> {
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
fn remove_older(directory: &Path, snapshot_revision: u64) {
    let Ok(files) = list(directory) else { return };
    for (revision, path) in files.snapshots.iter().chain(&files.logs) {
        if *revision < snapshot_revision {
            let _ = fs::remove_file(path);
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::ReadFile { path: path.to_owned(), source })
}
