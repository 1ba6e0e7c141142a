//! Why the API server could not start or could not do what its owner asked of it.

use std::{io, path::PathBuf};

/// A failure of the API server itself; what a client of its API sees is a `Status` object instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory could not be made.
    #[error("could not make the data directory {}", path.display())]
    CreateDirectory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process holds the data directory.
    #[error(
        "the data directory {} is in use by another local cluster; stop that one or choose another directory",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A file of the data directory could not be read.
    #[error("could not read {}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file of the data directory could not be written.
    #[error("could not write {}", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A state file was written by another version of the format.
    #[error("{} was written by another version of Flumen; use that version, or another data directory", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// A state file is damaged in a way that a crash cannot explain.
    #[error(
        "{} is damaged at byte {offset}; restore the directory from a backup, or start with another data directory",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged record starts.
        offset: u64,
    },
    /// A state file does not begin where the ones before it end.
    #[error(
        "{} goes on after revision {found}, but the files before it end at {reached}: one of them is missing or cut short; restore the directory from a backup, or start with another data directory",
        path.display()
    )]
    Gap {
        /// The file.
        path: PathBuf,
        /// The last revision before it.
        reached: u64,
        /// The revision that it goes on after.
        found: u64,
    },
    /// A state file is not there.
    #[error(
        "{} is missing; restore the directory from a backup, or start with another data directory",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A state file holds objects of a kind that this version does not have.
    #[error(
        "{} holds {kind}, which this version of Flumen does not know; use the version that wrote it, or another data directory",
        path.display()
    )]
    UnknownKind {
        /// The file.
        path: PathBuf,
        /// The kind, as it is stored.
        kind: String,
    },
    /// The system did not give a thread for the disk.
    #[error("could not start the thread that writes to the disk")]
    StartThread(#[source] io::Error),
    /// Writing the objects that every cluster has failed.
    #[error("could not write the first objects of the cluster: {message}")]
    Bootstrap {
        /// What the API answered.
        message: String,
    },
    /// A certificate or a key could not be made.
    #[error("could not make a certificate for {subject}")]
    IssueCertificate {
        /// Whom the certificate was for.
        subject: String,
        /// The cause.
        #[source]
        source: rcgen::Error,
    },
    /// A client certificate was asked for with more groups than one can carry.
    #[error("a client certificate can carry 2 groups, not the {count} of {user}; use a token")]
    TooManyGroups {
        /// Whom the certificate was for.
        user: String,
        /// How many groups were asked for.
        count: usize,
    },
    /// A key of the data directory is not a key.
    #[error("{} does not hold a usable key or certificate: remove the file and start again (issued credentials become invalid)", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The TLS set-up was refused.
    #[error("could not set up TLS")]
    Tls(#[source] rustls::Error),
    /// The verifier of client certificates was refused.
    #[error("could not set up the check of client certificates")]
    ClientVerifier(#[source] rustls::server::VerifierBuilderError),
    /// A listener could not be used.
    #[error("could not serve on the given listener")]
    Listen(#[source] io::Error),
}
