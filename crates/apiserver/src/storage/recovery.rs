//! The state as the files tell it: everything that anybody was told of, or an error.
//!
//! A record says up to where everything was on disk when it was written. So when the machine dies between two
//! waits for the disk, what is missing and what stands behind it is known to have been promised to nobody.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    directory::{self, UNFINISHED},
    log::{self, FIRST_REVISION, Log, MAGIC, Record, Version, log_path},
};
use crate::Error;

/// What was found in the directory.
pub(super) struct Recovered {
    pub(super) log: Log,
    /// Everything up to here is on disk.
    pub(super) revision: u64,
    pub(super) snapshot_revision: u64,
    pub(super) snapshot_bytes: u64,
}

/// A record is of a kind that nobody knows.
pub(super) struct UnknownKind(pub(super) String);

struct LogFile {
    base: u64,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Without its first bytes it is no log yet: it was being made when the process ended.
    version: Option<Version>,
}

/// Where the good records end, and why, if that is not the end of the last log.
struct End<'a> {
    last: Option<&'a LogFile>,
    offset: usize,
    revision: u64,
    problem: Option<Error>,
}

/// Reads the newest snapshot and the logs after it; `replay` gets each record and whether it is from the snapshot.
pub(super) fn recover(
    directory: &Path,
    mut replay: impl FnMut(&Record<'_>, bool) -> Result<(), UnknownKind>,
) -> Result<Recovered, Error> {
    fs::create_dir_all(directory)
        .map_err(|source| Error::CreateDirectory { path: directory.to_owned(), source })?;
    let _ = fs::remove_file(directory.join(UNFINISHED));
    let mut replay = |record: &Record<'_>, path: &Path, from_snapshot: bool| {
        replay(record, from_snapshot)
            .map_err(|UnknownKind(kind)| Error::UnknownKind { path: path.to_owned(), kind })
    };
    let files = directory::list(directory)?;
    let (mut snapshot_revision, mut snapshot_bytes) = (0, 0);
    if let Some((revision, path)) = files.snapshots.last() {
        snapshot_revision = *revision;
        snapshot_bytes = read_snapshot(path, *revision, |record| replay(record, path, true))?;
    }
    let mut logs = Vec::new();
    for (base, path) in files.logs.into_iter().filter(|(base, _)| *base >= snapshot_revision) {
        let bytes = directory::read(&path)?;
        let version = log::version(&path, &bytes)?;
        logs.push(LogFile { base, path, bytes, version });
    }
    if logs.is_empty() && snapshot_revision > 0 {
        // A log is there before the snapshot that it follows.
        return Err(Error::Missing { path: log_path(directory, snapshot_revision) });
    }
    let reached = snapshot_revision.max(FIRST_REVISION);
    let end = follow(&logs, reached, |record, path| replay(record, path, false))?;
    let revision = end.revision;
    let log = settle(directory, &logs, &end)?;
    directory::remove_older(directory, snapshot_revision);
    Ok(Recovered { log, revision, snapshot_revision, snapshot_bytes })
}

/// Reads a snapshot, which gets its name only after the whole of it is on disk; returns its size.
fn read_snapshot(
    path: &Path,
    revision: u64,
    mut replay: impl FnMut(&Record<'_>) -> Result<(), Error>,
) -> Result<u64, Error> {
    let bytes = directory::read(path)?;
    let damaged =
        |offset: usize| Err(Error::Damaged { path: path.to_owned(), offset: offset as u64 });
    let Some(version) = log::version(path, &bytes)? else { return damaged(0) };
    let (mut offset, mut count) = (MAGIC.len(), 0);
    let mut end = None;
    while let Some((record, length)) = log::decode(&bytes[offset..], version) {
        if version == Version::Two && end.is_some() {
            return damaged(offset);
        }
        end = directory::end_of_snapshot(&record);
        if end.is_none() {
            replay(&record)?;
            count += 1;
        }
        offset += length;
    }
    let is_whole = match version {
        // A cluster has some objects always.
        Version::One => count > 0,
        Version::Two => end == Some((count, revision)),
    };
    if offset != bytes.len() || !is_whole { damaged(offset) } else { Ok(bytes.len() as u64) }
}

/// Feeds the records of all logs in their order, for as long as each goes on where the one before ended.
fn follow(
    logs: &[LogFile],
    reached: u64,
    mut replay: impl FnMut(&Record<'_>, &Path) -> Result<(), Error>,
) -> Result<End<'_>, Error> {
    let mut end = End { last: None, offset: 0, revision: reached, problem: None };
    let gap = |log: &LogFile, reached: u64, found: u64| Error::Gap {
        path: log.path.clone(),
        reached,
        found,
    };
    for (position, log) in logs.iter().enumerate() {
        let start = log.base.max(FIRST_REVISION);
        if start < end.revision && !log.has_operations() {
            // It could not be made, nor removed, and the one before went on.
            continue;
        }
        if start != end.revision {
            let problem = gap(log, end.revision, start);
            let rest = logs[position..].iter().map(|log| (log, 0));
            if end.last.is_none() || is_proved(rest, end.revision) {
                return Err(problem);
            }
            end.problem = Some(problem);
            break;
        }
        let mut offset = log.version.map_or(0, |_| MAGIC.len());
        while let Some((record, length)) = log.record_at(offset) {
            if record.first != end.revision + 1 {
                return Err(gap(log, end.revision, record.first.saturating_sub(1)));
            }
            replay(&record, &log.path)?;
            end.revision = record.last_revision();
            offset += length;
        }
        (end.last, end.offset) = (Some(log), offset);
        let is_last = position + 1 == logs.len();
        if offset != log.bytes.len() || (log.version.is_none() && !is_last) {
            let problem = Error::Damaged { path: log.path.clone(), offset: offset as u64 };
            let later = logs[position + 1..].iter().map(|log| (log, 0));
            if is_proved(std::iter::once((log, offset)).chain(later), end.revision) {
                return Err(problem);
            }
            end.problem = Some(problem);
            break;
        }
    }
    Ok(end)
}

/// Whether any record in the rest of the logs proves that more than what was found had reached the disk.
fn is_proved<'a>(mut rest: impl Iterator<Item = (&'a LogFile, usize)>, revision: u64) -> bool {
    rest.any(|(log, from)| {
        // What is damaged may be a length, so the next record may begin anywhere.
        (from..log.bytes.len())
            .filter_map(|offset| log.record_at(offset))
            .any(|(record, _)| record.proves_more_than(revision))
    })
}

/// Cuts off what was never promised, and opens the log to go on with.
fn settle(directory: &Path, logs: &[LogFile], end: &End<'_>) -> Result<Log, Error> {
    let Some(last) = end.last else { return Log::create(directory, 0) };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| Error::WriteFile { path, source }
    };
    if let Some(problem) = &end.problem {
        tracing::warn!(
            problem = problem as &dyn std::error::Error,
            "dropped the last writes, which were not finished"
        );
    }
    // The later ones first, or they would seem to follow when this is interrupted.
    for log in logs.iter().filter(|log| log.base > last.base) {
        fs::remove_file(&log.path).map_err(failed(&log.path))?;
    }
    for log in logs.iter().filter(|log| log.base <= last.base) {
        let sync = File::open(&log.path).and_then(|file| file.sync_all());
        sync.map_err(failed(&log.path))?;
    }
    File::open(directory).and_then(|file| file.sync_all()).map_err(failed(directory))?;
    if last.version.is_some() {
        let log = Log::resume(&last.path, end.offset as u64)?;
        if last.version == Some(Version::Two) {
            return Ok(log);
        }
    }
    // What this version writes cannot stand in an older log.
    let is_empty = last.base.max(FIRST_REVISION) == end.revision;
    Log::create(directory, if is_empty { last.base } else { end.revision })
}

impl LogFile {
    fn record_at(&self, offset: usize) -> Option<(Record<'_>, usize)> {
        log::decode(self.bytes.get(offset..)?, self.version?)
    }

    fn has_operations(&self) -> bool {
        (MAGIC.len()..self.bytes.len())
            .filter_map(|offset| self.record_at(offset))
            .any(|(record, _)| record.operations().next().is_some())
    }
}
