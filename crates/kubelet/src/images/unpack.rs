//! One layer from its blob to its directory: decompressed, checked against the diff id, renamed into place.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{hexadecimal, layer};
use crate::protocol::IdMap;

/// Why a layer could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unpacking {
    #[error("could not read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not read the archive")]
    Archive(#[source] io::Error),
    #[error("could not unpack {}", path.display())]
    Entry {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the content has the digest sha256:{actual} where {expected} was promised")]
    Digest { expected: String, actual: String },
    #[error("the work was interrupted")]
    Interrupted,
}

/// Hashes what passes through.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// Unpacks `blob` into `partial`, which must be on the same file system as `target`, and moves it there.
pub(super) fn unpack(
    blob: &Path,
    partial: &Path,
    target: &Path,
    diff_id: &str,
    map: IdMap,
) -> Result<(), Unpacking> {
    let read_error = |source| Unpacking::Read { path: blob.to_owned(), source };
    let write_error = |source| Unpacking::Write { path: partial.to_owned(), source };
    fs::create_dir(partial).map_err(write_error)?;
    let mut content = Hashing { inner: decompress(blob).map_err(read_error)?, hash: Sha256::new() };
    layer::extract(&mut content, partial, map)?;
    // The digest covers what follows the last entry, too.
    io::copy(&mut content, &mut io::sink()).map_err(Unpacking::Archive)?;
    let actual = hexadecimal(&content.hash.finalize());
    if diff_id != format!("sha256:{actual}") {
        return Err(Unpacking::Digest { expected: diff_id.to_owned(), actual });
    }
    fs::rename(partial, target).map_err(write_error)
}

fn decompress(blob: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(blob)?);
    let start = io::BufRead::fill_buf(&mut file)?;
    // Media types are not always true; the content is.
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::Decoder::with_buffer(file)?),
        _ => Box::new(file),
    })
}
