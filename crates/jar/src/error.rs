use std::io;

use flumen_model::Kind;

/// Why a jar could not be inspected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no zip archive.
    #[error("this is no jar")]
    NoArchive {
        /// What is wrong with it.
        #[source]
        source: zip::result::ZipError,
    },
    /// The archive has more entries than are read.
    #[error("it has {count} entries, and at most {most} are read")]
    TooManyEntries {
        /// How many it has.
        count: usize,
        /// How many are read.
        most: usize,
    },
    /// The entries are larger together than is read.
    #[error("its classes are larger than {most} bytes together, and no more is read")]
    TooMuch {
        /// How much is read.
        most: u64,
    },
    /// The bytes cannot be had.
    #[error("could not read the jar")]
    Read {
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Always [`Kind::Invalid`].
    pub const fn kind(&self) -> Kind {
        Kind::Invalid
    }
}
