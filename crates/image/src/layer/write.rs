use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use flate2::GzBuilder;
use oci_spec::image::MediaType;
use tar::{EntryType, Header};

use super::{Compression, Content, Entry, Layer};
use crate::{Error, hashing::Hasher};

const BUFFER: usize = 256 * 1024;
/// The "unknown" of gzip's header, where libraries would put the system that they run on.
const NO_OPERATING_SYSTEM: u8 = 255;

/// Archive, compression and both digests in one pass.
pub(super) fn write(
    entries: &BTreeMap<String, Entry>,
    compression: Compression,
    path: PathBuf,
) -> Result<Layer, Error> {
    let write_error = |source| Error::WriteFile { path: path.clone(), source };
    let directory =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (file, partial) = tempfile::NamedTempFile::with_prefix_in(".partial-", directory)
        .map_err(write_error)?
        .into_parts();
    let file = Hashed::new(BufWriter::with_capacity(BUFFER, file));
    let (media_type, diff, file) = match compression {
        Compression::Zstd => {
            let encoder = zstd::Encoder::new(file, 1).map_err(write_error)?;
            let archive = write_archive(entries, encoder, &path)?;
            let file = archive.inner.finish().map_err(write_error)?;
            (MediaType::ImageLayerZstd, archive.hasher, file)
        }
        Compression::Gzip => {
            let encoder = GzBuilder::new()
                .mtime(0)
                .operating_system(NO_OPERATING_SYSTEM)
                .write(file, flate2::Compression::new(6));
            let archive = write_archive(entries, encoder, &path)?;
            let file = archive.inner.finish().map_err(write_error)?;
            (MediaType::ImageLayerGzip, archive.hasher, file)
        }
    };
    let Hashed { inner: file, hasher } = file;
    file.into_inner().map_err(|error| write_error(error.into_error()))?;
    partial.persist(&path).map_err(|error| write_error(error.error))?;
    let (digest, size) = hasher.finish();
    Ok(Layer { path, media_type, digest, diff_id: diff.finish().0, size })
}

fn write_archive<W: Write>(
    entries: &BTreeMap<String, Entry>,
    encoder: W,
    destination: &Path,
) -> Result<Hashed<W>, Error> {
    let write_error = |source| Error::WriteFile { path: destination.to_owned(), source };
    let mut archive = tar::Builder::new(Hashed::new(encoder));
    for (name, entry) in entries {
        append(&mut archive, name, entry, destination)?;
    }
    archive.into_inner().map_err(write_error)
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    entry: &Entry,
    destination: &Path,
) -> Result<(), Error> {
    let write_error = |source| Error::WriteFile { path: destination.to_owned(), source };
    let mut header = Header::new_ustar();
    header.set_mode(entry.attributes.mode);
    header.set_uid(entry.attributes.user.into());
    header.set_gid(entry.attributes.group.into());
    header.set_mtime(0);
    header.set_size(0);
    match &entry.content {
        Content::Directory => {
            header.set_entry_type(EntryType::Directory);
            archive.append_data(&mut header, format!("{name}/"), io::empty()).map_err(write_error)
        }
        Content::Symlink(target) => {
            header.set_entry_type(EntryType::Symlink);
            archive.append_link(&mut header, name, target).map_err(write_error)
        }
        Content::Bytes(bytes) => {
            header.set_entry_type(EntryType::Regular);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, name, bytes.as_slice()).map_err(write_error)
        }
        Content::File(source) => {
            let read_error = |error| Error::ReadFile { path: source.clone(), source: error };
            let file = File::open(source).map_err(read_error)?;
            let metadata = file.metadata().map_err(read_error)?;
            if !metadata.is_file() {
                return Err(read_error(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is not a file",
                )));
            }
            header.set_entry_type(EntryType::Regular);
            header.set_size(metadata.len());
            let mut exact = Exact { file, left: metadata.len(), failure: None };
            let appended = archive.append_data(&mut header, name, &mut exact);
            match exact.failure {
                Some(Failure::Changed) => Err(Error::FileChanged { path: source.clone() }),
                Some(Failure::Read(error)) => Err(read_error(error)),
                None => appended.map_err(write_error),
            }
        }
    }
}

/// Reads as many bytes as the header promised, no fewer and no more, and keeps what went wrong apart from what goes
/// wrong with writing.
struct Exact {
    file: File,
    left: u64,
    failure: Option<Failure>,
}

enum Failure {
    Changed,
    Read(io::Error),
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Ok(count)
                if count as u64 > self.left
                    || (count == 0 && self.left > 0 && !buffer.is_empty()) =>
            {
                self.failure = Some(Failure::Changed);
                Err(io::Error::other("the file changed"))
            }
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failure = Some(Failure::Read(error));
                Err(io::Error::other("the file could not be read"))
            }
        }
    }
}

/// Hashes what passes through.
struct Hashed<W> {
    inner: W,
    hasher: Hasher,
}

impl<W> Hashed<W> {
    fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::default() }
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
