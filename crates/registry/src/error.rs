use std::{io, path::PathBuf};

/// Why the registry could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory cannot be used.
    #[error("could not prepare {} for the image registry", path.display())]
    PrepareDirectory {
        /// The directory or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Another registry uses the data directory.
    #[error("{} is in use by another image registry; stop that one or choose another directory", path.display())]
    LockDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The listener does not work.
    #[error("the image registry could not serve its listener")]
    Serve {
        /// What the system says.
        #[source]
        source: io::Error,
    },
}
