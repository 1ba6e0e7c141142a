use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use flumen_model::Kind;

use crate::Trouble;

/// What can fail when Flumen remembers something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database file could not be opened or made.
    #[error("could not open the database {path}{}", why(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// The database was written by a newer Flumen.
    #[error(
        "could not open the database {path}: it was written by a newer version of Flumen, its schema \
         {version} is not known here"
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
    #[error("could not load {what} from the database {}{}", .file.display(), why(source))]
    Load {
        /// What was looked for.
        what: &'static str,
        /// The file.
        file: Arc<Path>,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// A write failed.
    #[error("could not save {what} in the database {}{}", .file.display(), why(source))]
    Save {
        /// What was to be written.
        what: &'static str,
        /// The file.
        file: Arc<Path>,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// A row does not have a column, or another sort of value in it.
    #[error("{what} in the database have other columns than this version of Flumen reads")]
    Columns {
        /// What was read.
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
    /// It ended meanwhile.
    #[error("{what} is not underway any more")]
    NotUnderway {
        /// What was to be ended.
        what: String,
    },
    /// An environment would be in a cluster that is not there.
    #[error("could not save environment {environment}: there is no cluster {cluster}")]
    NoCluster {
        /// The environment.
        environment: String,
        /// The cluster.
        cluster: String,
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
            Self::NoCluster { .. } => Kind::NotFound,
            Self::Stale { .. } | Self::NotUnderway { .. } | Self::Exists { .. } => Kind::Conflict,
            Self::Corrupt { .. } | Self::Columns { .. } | Self::Migrate { .. } => Kind::Bug,
            Self::Open { .. } | Self::Load { .. } | Self::Save { .. } => Kind::Unavailable,
        }
    }

    /// What is wrong with the database, if it is that.
    pub fn trouble(&self) -> Option<Trouble> {
        self.refused().and_then(|(_, source)| Trouble::of(source))
    }

    /// What to do about it, in whole sentences.
    pub fn hint(&self) -> Option<String> {
        if let Self::Newer { .. } = self {
            return Some("Use that version of Flumen, or another data directory.".to_owned());
        }
        let (file, source) = self.refused()?;
        Trouble::of(source).map(|trouble| trouble.advice(file))
    }

    /// What SQLite refused, on which file.
    fn refused(&self) -> Option<(&Path, &sqlx::Error)> {
        match self {
            Self::Open { path, source } => Some((path, source)),
            Self::Load { file, source, .. } | Self::Save { file, source, .. } => {
                Some((file, source))
            }
            Self::Newer { .. }
            | Self::Migrate { .. }
            | Self::Columns { .. }
            | Self::Corrupt { .. }
            | Self::Stale { .. }
            | Self::NotUnderway { .. }
            | Self::NoCluster { .. }
            | Self::Exists { .. } => None,
        }
    }

    /// This, if what was to be written has a name that is taken; else as it is.
    pub(crate) fn or_exists(self, what: impl FnOnce() -> String) -> Self {
        match &self {
            Self::Save { source: sqlx::Error::Database(error), .. }
                if error.is_unique_violation() =>
            {
                Self::Exists { what: what() }
            }
            _ => self,
        }
    }
}

fn why(source: &sqlx::Error) -> String {
    Trouble::of(source).map(|trouble| format!(": {}", trouble.words())).unwrap_or_default()
}
