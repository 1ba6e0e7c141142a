use std::path::PathBuf;

use flumen_model::Kind;

/// What can fail when Flumen remembers something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database file could not be opened or made.
    #[error("could not open the database {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// The database was written by a newer Flumen.
    #[error(
        "the database {path} was written by a newer version of Flumen (its schema {version} is not known \
         here); use that version or another data directory"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The newest schema number in it.
        version: i64,
    },
    /// The schema could not be brought up to date.
    #[error("could not bring the database {path} up to date")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A read failed.
    #[error("could not load {what} from the database")]
    Load {
        /// What was looked for.
        what: &'static str,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// A write failed.
    #[error("could not save {what} in the database")]
    Save {
        /// What was to be written.
        what: &'static str,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value is not what this version writes.
    #[error("{what} in the database holds {value:?}, which this version of Flumen cannot read")]
    Corrupt {
        /// Table and column.
        what: &'static str,
        /// The beginning of the value.
        value: String,
    },
    /// Someone else changed it meanwhile.
    #[error("{what} was changed by someone else since version {version}; read it again and repeat")]
    Stale {
        /// What was to be changed.
        what: String,
        /// The version that the caller had seen.
        version: i64,
    },
    /// It exists already.
    #[error("{what} exists already")]
    Exists {
        /// What was to be made.
        what: String,
    },
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Newer { .. } => Kind::Invalid,
            Self::Stale { .. } | Self::Exists { .. } => Kind::Conflict,
            Self::Corrupt { .. } | Self::Migrate { .. } => Kind::Bug,
            Self::Open { .. } | Self::Load { .. } | Self::Save { .. } => Kind::Unavailable,
        }
    }
}
