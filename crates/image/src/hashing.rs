use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use flumen_model::Digest;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// How much of a file is read at once.
const BUFFER: usize = 256 * 1024;

/// What tells the content of a file apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksums {
    /// Its SHA-1 in hex.
    pub sha1: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
}

/// Reads a file through.
///
/// # Errors
/// What the system says of the file.
pub fn checksums(file: &Path) -> io::Result<Checksums> {
    let (mut sha1, mut sha256) = (Sha1::new(), Sha256::new());
    each_piece(file, |piece| {
        sha1.update(piece);
        sha256.update(piece);
    })?;
    Ok(Checksums { sha1: hex(&sha1.finalize()), sha256: hex(&sha256.finalize()) })
}

/// The SHA-1 of a file in hex. Reads it through.
///
/// # Errors
/// What the system says of the file.
pub fn sha1_of(file: &Path) -> io::Result<String> {
    let mut sha1 = Sha1::new();
    each_piece(file, |piece| sha1.update(piece))?;
    Ok(hex(&sha1.finalize()))
}

fn each_piece(file: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = File::open(file)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => take(&buffer[..count]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The digest of these bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.finish().0
}

/// A digest and a byte count that grow together.
#[derive(Default)]
pub(crate) struct Hasher {
    sha256: Sha256,
    size: u64,
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub(crate) fn finish(self) -> (Digest, u64) {
        (Digest::from_sha256(&self.sha256.finalize().into()), self.size)
    }
}
