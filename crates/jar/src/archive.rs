//! The archive within its limits. Nothing that it says of itself (sizes, counts) is trusted.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;

use crate::Error;

/// How many entries an archive may have.
pub const MOST_ENTRIES: usize = 500_000;
/// How many bytes of all entries are inflated in all.
pub const MOST_BYTES: u64 = 4 << 30;
/// How many bytes of a class file are read.
pub const MOST_CLASS_BYTES: u64 = 16 << 20;
/// How many bytes of a manifest, service file, properties file or POM are read.
pub const MOST_TEXT_BYTES: u64 = 4 << 20;
/// How many bytes of the central directory are looked through for duplicates.
const MOST_DIRECTORY_BYTES: u64 = 256 << 20;

pub(crate) struct Archive<R: Read + Seek> {
    zip: ZipArchive<R>,
    /// The names in the order of the archive, without duplicates.
    names: Vec<String>,
    left: u64,
}

/// What an entry holds.
pub(crate) enum Content {
    Bytes {
        bytes: Vec<u8>,
        /// The CRC-32 of the bytes, which was found to be right.
        checksum: u32,
    },
    TooLarge,
    /// The entry is damaged, encrypted, or compressed in a way that Java does not know either.
    Unreadable,
}

impl<R: Read + Seek> Archive<R> {
    pub(crate) fn open(reader: R) -> Result<Self, Error> {
        let zip = ZipArchive::new(reader).map_err(|source| Error::NoArchive { source })?;
        if zip.len() > MOST_ENTRIES {
            return Err(Error::TooManyEntries { count: zip.len(), most: MOST_ENTRIES });
        }
        let names =
            zip.file_names_raw().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        Ok(Self { zip, names, left: MOST_BYTES })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.zip.index_for_name_raw(name.as_bytes())
    }

    /// The content of the entry at this place in [`names`](Self::names), if it is no larger than `most`.
    pub(crate) fn read(&mut self, index: usize, most: u64) -> Result<Content, Error> {
        let Ok(entry) = self.zip.by_index(index) else { return Ok(Content::Unreadable) };
        let checksum = entry.crc32();
        let limit = most.min(self.left);
        let mut bytes = Vec::new();
        if entry.take(limit + 1).read_to_end(&mut bytes).is_err() {
            // What was inflated before the damage counts too.
            self.left = self.left.saturating_sub(bytes.len() as u64);
            return Ok(Content::Unreadable);
        }
        let length = bytes.len() as u64;
        if length > self.left {
            return Err(Error::TooMuch { most: MOST_BYTES });
        }
        self.left -= length.min(self.left);
        Ok(if length > most { Content::TooLarge } else { Content::Bytes { bytes, checksum } })
    }

    /// The text of an entry, if there is such an entry and it can be read.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        let Some(index) = self.position(name) else { return Ok(None) };
        Ok(match self.read(index, MOST_TEXT_BYTES)? {
            Content::Bytes { bytes, .. } => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Content::TooLarge | Content::Unreadable => None,
        })
    }

    /// Names that stand in the archive more than once, of which readers see the last.
    pub(crate) fn duplicates(self) -> Result<Vec<String>, Error> {
        if !self.zip.has_duplicate_names() {
            return Ok(Vec::new());
        }
        let directory = self.directory()?;
        let mut names: Vec<&[u8]> = entries(&directory).map(|(name, _)| name).collect();
        names.sort_unstable();
        let mut twice: Vec<String> = names
            .windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| String::from_utf8_lossy(pair[0]).into_owned())
            .collect();
        twice.dedup();
        Ok(twice)
    }

    /// The central directory, for [`entries`].
    pub(crate) fn directory(self) -> Result<Vec<u8>, Error> {
        let start = self.zip.central_directory_start();
        let mut reader = self.zip.into_inner();
        let mut directory = Vec::new();
        reader
            .seek(SeekFrom::Start(start))
            .and_then(|_| reader.take(MOST_DIRECTORY_BYTES).read_to_end(&mut directory))
            .map_err(|source| Error::Read { source })?;
        Ok(directory)
    }
}

/// The names in a central directory (APPNOTE 4.3.12) with the CRC-32 that it says, up to where it is no longer one.
pub(crate) fn entries(directory: &[u8]) -> impl Iterator<Item = (&[u8], u32)> {
    const SIGNATURE: &[u8] = b"PK\x01\x02";
    const FIXED: usize = 46;

    let mut rest = directory;
    std::iter::from_fn(move || {
        let head = rest.get(..FIXED).filter(|head| head.starts_with(SIGNATURE))?;
        let length = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let (name, extra, comment) = (length(28), length(30), length(32));
        let bytes = rest.get(FIXED..FIXED + name)?;
        let checksum = u32::from_le_bytes([head[16], head[17], head[18], head[19]]);
        rest = rest.get(FIXED + name + extra + comment..).unwrap_or_default();
        Some((bytes, checksum))
    })
}
