//! The log: one file of records, each with its length and checksum, appended to by one writer.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::Error;

/// The first bytes of a log or a snapshot; the last one is the version of the format.
pub(super) const MAGIC: &[u8; 8] = b"flumenK\x01";
/// Length and checksum.
const HEADER: usize = 12;

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
    /// Starts an empty log for what comes after a revision.
    pub(super) fn create(directory: &Path, base: u64) -> Result<Self, Error> {
        let path = log_path(directory, base);
        let make = || -> io::Result<File> {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
            file.write_all(MAGIC)?;
            file.sync_data()?;
            File::open(directory)?.sync_all()?;
            Ok(file)
        };
        let file = make().map_err(|source| {
            // Behind half a log the one before would have to be whole, and that one goes on.
            let _ = std::fs::remove_file(&path);
            Error::WriteFile { path: path.clone(), source }
        })?;
        Ok(Self { file: Arc::new(file), length: MAGIC.len() as u64, buffer: Vec::new() })
    }

    /// Goes on with a log whose first `length` bytes are good; what comes after them is cut off.
    pub(super) fn resume(path: &Path, length: u64) -> Result<Self, Error> {
        use std::io::{Seek, SeekFrom};
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().write(true).open(path)?;
            if file.metadata()?.len() != length {
                file.set_len(length)?;
                file.sync_all()?;
            }
            file.seek(SeekFrom::Start(length))?;
            Ok(file)
        };
        let file = open().map_err(|source| Error::WriteFile { path: path.to_owned(), source })?;
        Ok(Self { file: Arc::new(file), length, buffer: Vec::new() })
    }

    pub(super) fn handle(&self) -> Arc<File> {
        self.file.clone()
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends one record; the operations get the revisions from `first` on. A failure leaves the log as it was.
    pub(super) fn append<'a>(
        &mut self,
        first: u64,
        operations: impl Iterator<Item = Operation<'a>>,
    ) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        self.buffer.clear();
        encode(&mut self.buffer, first, operations);
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

/// Appends one record to a buffer.
pub(super) fn encode<'a>(
    buffer: &mut Vec<u8>,
    first: u64,
    operations: impl Iterator<Item = Operation<'a>>,
) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER]);
    buffer.extend_from_slice(&first.to_le_bytes());
    for operation in operations {
        buffer.push(u8::from(operation.delete));
        for part in [operation.storage.as_bytes(), operation.key.as_bytes(), operation.json] {
            // An object is limited to a few MiB by the request limit.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            buffer.extend_from_slice(&length.to_le_bytes());
            buffer.extend_from_slice(part);
        }
    }
    let payload = &buffer[start + HEADER..];
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let checksum = checksum(payload);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer[start + 4..start + HEADER].copy_from_slice(&checksum);
}

fn checksum(payload: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&Sha256::digest(payload)[..8]);
    short
}

/// A record that was read back.
pub(super) struct Record<'a> {
    first: u64,
    operations: Vec<Operation<'a>>,
}

impl<'a> Record<'a> {
    pub(super) fn operations(&self) -> impl Iterator<Item = (u64, &Operation<'a>)> {
        (self.first..).zip(&self.operations)
    }

    pub(super) fn last_revision(&self) -> u64 {
        self.first + (self.operations.len() as u64).saturating_sub(1)
    }
}

/// Reads the record at the start of `bytes`; `None` if there is no whole and good one. Returns its length, too.
pub(super) fn decode(bytes: &[u8]) -> Option<(Record<'_>, usize)> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let payload = bytes.get(HEADER..HEADER.checked_add(length)?)?;
    let first = u64::from_le_bytes(payload.get(..8)?.try_into().ok()?);
    if bytes[4..HEADER] != checksum(payload) {
        return None;
    }
    let mut rest = &payload[8..];
    let mut operations = Vec::new();
    while let [delete, tail @ ..] = rest {
        rest = tail;
        let storage = std::str::from_utf8(part(&mut rest)?).ok()?;
        let key = std::str::from_utf8(part(&mut rest)?).ok()?;
        let json = part(&mut rest)?;
        operations.push(Operation { storage, key, delete: *delete != 0, json });
    }
    Some((Record { first, operations }, HEADER + length))
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let part = rest.get(4..4usize.checked_add(length)?)?;
    *rest = &rest[4 + length..];
    Some(part)
}
