//! The log: one file of records, each with its length and checksum, appended to by one writer.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::Error;

/// The first bytes of a log or a snapshot; after the name comes the version of the format.
const NAME: &[u8; 7] = b"flumenK";
pub(super) const MAGIC: &[u8; 8] = b"flumenK\x02";
/// Length and checksum.
const HEADER: usize = 12;
/// Nobody was ever told of the first revision, so whoever asks for it asks for what is too old, as in a cluster
/// that has run for a while.
pub(super) const FIRST_REVISION: u64 = 2;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Its records do not say what was on disk before them, and its snapshots do not say where they end.
    One,
    Two,
}

/// The version of a file by its first bytes; `None` where not even these were written.
pub(super) fn version(path: &Path, bytes: &[u8]) -> Result<Option<Version>, Error> {
    let Some((name, version)) = bytes.get(..MAGIC.len()).and_then(|head| head.split_at_checked(7))
    else {
        return Ok(None);
    };
    match version {
        _ if name != NAME => Err(Error::Damaged { path: path.to_owned(), offset: 0 }),
        [1] => Ok(Some(Version::One)),
        [2] => Ok(Some(Version::Two)),
        _ => Err(Error::Format { path: path.to_owned() }),
    }
}

/// One change of one object, as it is written.
pub(super) struct Operation<'a> {
    pub(super) storage: &'a str,
    pub(super) key: &'a str,
    pub(super) delete: bool,
    pub(super) json: &'a [u8],
}

/// A file that records are appended to.
pub(super) struct Log {
    file: Arc<File>,
    length: u64,
    buffer: Vec<u8>,
}

pub(super) fn log_path(directory: &Path, base: u64) -> PathBuf {
    directory.join(format!("log-{base:020}"))
}

impl Log {
    /// Starts an empty log for what comes after a revision, on disk when this returns.
    pub(super) fn create(directory: &Path, base: u64) -> Result<Self, Error> {
        let log = Self::start(directory, base, base)?;
        let sync = || log.file.sync_data().and_then(|()| File::open(directory)?.sync_all());
        let path = || log_path(directory, base);
        sync().map_err(|source| Error::WriteFile { path: path(), source })?;
        Ok(log)
    }

    /// Starts an empty log for what comes after a revision, of which everything up to `synced` is on disk.
    /// The log itself is not: whoever waits for what is in it must wait for the log before, and for the directory, too.
    pub(super) fn start(directory: &Path, base: u64, synced: u64) -> Result<Self, Error> {
        let path = log_path(directory, base);
        let mut bytes = MAGIC.to_vec();
        let mut make = || -> io::Result<File> {
            // A record of nothing, so that it is known what must stand in the log before this one.
            let first = base.max(FIRST_REVISION) + 1;
            encode(&mut bytes, (first, synced), std::iter::empty())?;
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
            file.write_all(&bytes)?;
            Ok(file)
        };
        let file = make().map_err(|source| {
            let _ = std::fs::remove_file(&path);
            Error::WriteFile { path: path.clone(), source }
        })?;
        Ok(Self { file: Arc::new(file), length: bytes.len() as u64, buffer: Vec::new() })
    }

    /// Goes on with a log whose first `length` bytes are good; what comes after them is cut off.
    pub(super) fn resume(path: &Path, length: u64) -> Result<Self, Error> {
        let open = || -> io::Result<File> {
            let file = OpenOptions::new().write(true).open(path)?;
            if file.metadata()?.len() != length {
                file.set_len(length)?;
            }
            file.sync_all()?;
            Ok(file)
        };
        let file = open().map_err(|source| Error::WriteFile { path: path.to_owned(), source })?;
        Ok(Self { file: Arc::new(file), length, buffer: Vec::new() })
    }

    pub(super) fn handle(&self) -> Arc<File> {
        self.file.clone()
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends one record; the operations get the revisions from `first` on, and everything up to `synced` is on disk.
    /// A failure leaves the log as it was.
    pub(super) fn append<'a>(
        &mut self,
        (first, synced): (u64, u64),
        operations: impl Iterator<Item = Operation<'a>>,
    ) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        self.buffer.clear();
        encode(&mut self.buffer, (first, synced), operations)?;
        let written = self.file.write_all_at(&self.buffer, self.length);
        let record = self.buffer.len() as u64;
        if self.buffer.capacity() > 1 << 20 {
            self.buffer = Vec::new();
        }
        if let Err(error) = written {
            // Half a record at the end is harmless: it is overwritten by the next one or cut off at the next start.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += record;
        Ok(())
    }
}

/// Appends one record to a buffer, which is of no use after a failure.
pub(super) fn encode<'a>(
    buffer: &mut Vec<u8>,
    (first, synced): (u64, u64),
    operations: impl Iterator<Item = Operation<'a>>,
) -> io::Result<()> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER]);
    buffer.extend_from_slice(&first.to_le_bytes());
    buffer.extend_from_slice(&synced.to_le_bytes());
    for operation in operations {
        buffer.push(u8::from(operation.delete));
        for part in [operation.storage.as_bytes(), operation.key.as_bytes(), operation.json] {
            buffer.extend_from_slice(&length_of(part)?);
            buffer.extend_from_slice(part);
        }
    }
    let payload = &buffer[start + HEADER..];
    let (length, checksum) = (length_of(payload)?, checksum(payload));
    buffer[start..start + 4].copy_from_slice(&length);
    buffer[start + 4..start + HEADER].copy_from_slice(&checksum);
    Ok(())
}

fn length_of(part: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(part.len());
    Ok(length.map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?.to_le_bytes())
}

fn checksum(payload: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&Sha256::digest(payload)[..8]);
    short
}

/// A record that was read back.
pub(super) struct Record<'a> {
    pub(super) first: u64,
    /// Everything up to this revision was on disk when the record was written, if it says.
    synced: Option<u64>,
    operations: Vec<Operation<'a>>,
}

impl<'a> Record<'a> {
    pub(super) fn operations(&self) -> impl Iterator<Item = (u64, &Operation<'a>)> {
        (self.first..).zip(&self.operations)
    }

    /// The revision that the state has with this record.
    pub(super) fn last_revision(&self) -> u64 {
        (self.first + self.operations.len() as u64).saturating_sub(1)
    }

    /// Whether this record, which stands behind a place where others are lost, proves that one after `revision`
    /// was on disk, so that somebody may have been told of it.
    pub(super) fn proves_more_than(&self, revision: u64) -> bool {
        self.synced.is_none_or(|synced| synced > revision)
    }
}

/// Reads the record at the start of `bytes`; `None` if there is no whole and good one. Returns its length, too.
pub(super) fn decode(bytes: &[u8], version: Version) -> Option<(Record<'_>, usize)> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let payload = bytes.get(HEADER..HEADER.checked_add(length)?)?;
    let mut rest = payload;
    let first = number(&mut rest)?;
    let synced = match version {
        Version::One => None,
        Version::Two => Some(number(&mut rest)?),
    };
    // The checksum comes last, because it is what takes time where garbage is searched for records.
    if bytes[4..HEADER] != checksum(payload) {
        return None;
    }
    let mut operations = Vec::new();
    while let [delete, tail @ ..] = rest {
        rest = tail;
        let storage = std::str::from_utf8(part(&mut rest)?).ok()?;
        let key = std::str::from_utf8(part(&mut rest)?).ok()?;
        let json = part(&mut rest)?;
        operations.push(Operation { storage, key, delete: *delete != 0, json });
    }
    Some((Record { first, synced, operations }, HEADER + length))
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (number, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(u64::from_le_bytes(*number))
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let part = rest.get(4..4usize.checked_add(length)?)?;
    *rest = &rest[4 + length..];
    Some(part)
}
