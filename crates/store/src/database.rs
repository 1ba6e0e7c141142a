use std::path::Path;

use flumen_faults::Faults;
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteQueryResult, SqliteSynchronous,
    },
};

use crate::Error;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// The database of one server.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: SqlitePool,
    faults: Faults,
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
        Ok(Self { pool, faults: Faults::default() })
    }

    /// The same database, with points around each write. Default: none.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// A write that is one statement. Every write goes through here or through [`Store::commit`].
    pub(crate) async fn execute(
        &self,
        effect: &'static str,
        what: &'static str,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<SqliteQueryResult, Error> {
        self.faults
            .around(effect, statement.execute(&self.pool), no_answer)
            .await
            .map_err(|source| Error::Save { what, source })
    }

    /// A transaction that holds the write lock from its beginning, so that what it reads stays true.
    pub(crate) async fn write(
        &self,
        what: &'static str,
    ) -> Result<Transaction<'static, Sqlite>, Error> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|source| Error::Save { what, source })
    }

    /// Ends a transaction: until then nothing is written.
    pub(crate) async fn commit(
        &self,
        effect: &'static str,
        what: &'static str,
        transaction: Transaction<'static, Sqlite>,
    ) -> Result<(), Error> {
        self.faults
            .around(effect, transaction.commit(), no_answer)
            .await
            .map_err(|source| Error::Save { what, source })
    }

    /// Closes the database after what is underway.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// What a write says whose answer was lost.
fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())
}
