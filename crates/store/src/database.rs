use std::path::Path;

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::Error;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// The database of one server.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: SqlitePool,
}

impl Store {
    /// Opens the database file, makes it if it is not there and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Newer`] if a newer Flumen wrote it; [`Error::Open`] and [`Error::Migrate`] otherwise.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL, NORMAL may lose the newest commits when the machine (not the process) dies; an
            // intent that was written must not be lost.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(|source| Error::Open { path: path.to_owned(), source })?;
        MIGRATIONS.run(&pool).await.map_err(|source| match source {
            MigrateError::VersionMissing(version) => {
                Error::Newer { path: path.to_owned(), version }
            }
            source => Error::Migrate { path: path.to_owned(), source },
        })?;
        Ok(Self { pool })
    }

    /// A transaction that holds the write lock from its beginning, so that what it reads stays true.
    pub(crate) async fn write(
        &self,
        what: &'static str,
    ) -> Result<Transaction<'static, Sqlite>, Error> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|source| Error::Save { what, source })
    }

    /// Closes the database after what is underway.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
