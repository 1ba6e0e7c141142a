use std::{path::Path, sync::Arc, time::Duration};

use flumen_faults::Faults;
use sqlx::{
    Sqlite, SqlitePool,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteQueryResult, SqliteRow, SqliteSynchronous,
    },
};

use crate::{Error, Trouble};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How many read side by side.
const READERS: u32 = 4;

/// How long a write waits for the other writes of this server: each of them may wait for another program.
const TURN: Duration = Duration::from_secs(30);

/// How long it then waits for those of other programs.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database of one server.
#[derive(Debug, Clone)]
pub struct Store {
    readers: SqlitePool,
    /// The one connection that writes, since SQLite has one writer. Writes that wait for a lock or a disk
    /// keep no connection from those who read.
    writer: SqlitePool,
    file: Arc<Path>,
    faults: Faults,
}

/// A transaction that holds the write lock from its beginning, so that what it reads stays true. One that is not
/// committed ends with its connection: whether SQLite has rolled back by itself cannot be known.
pub(crate) struct Writing {
    connection: PoolConnection<Sqlite>,
    is_ended: bool,
    file: Arc<Path>,
}

pub(crate) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

impl Store {
    /// Opens the database file, makes it if it is not there and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Newer`] if a newer Flumen wrote it; [`Error::Open`] and [`Error::Migrate`] otherwise.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL, NORMAL may lose the newest commits when the machine (not the process) dies; an
            // intent that was written must not be lost.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE);
        let open = |source| Error::Open { path: path.to_owned(), source };
        let pool = |size| SqlitePoolOptions::new().max_connections(size);
        let writer = pool(1)
            .acquire_timeout(TURN)
            .connect_with(options.clone().create_if_missing(true))
            .await
            .map_err(open)?;
        // Later connections must not put an empty database in the place of one that was taken away.
        writer.set_connect_options(options.clone());
        MIGRATIONS.run(&writer).await.map_err(|error| not_migrated(path, error))?;
        let readers = pool(READERS).connect_with(options).await.map_err(open)?;
        Ok(Self { readers, writer, file: path.into(), faults: Faults::default() })
    }

    /// The same database, with points around each write. Default: none.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// All rows that a query finds.
    pub(crate) async fn rows(
        &self,
        what: &'static str,
        query: Statement<'_>,
    ) -> Result<Vec<SqliteRow>, Error> {
        let found = query.fetch_all(&self.readers).await;
        found.map_err(|source| Error::Load { what, file: Arc::clone(&self.file), source })
    }

    /// The first row that a query finds.
    pub(crate) async fn row(
        &self,
        what: &'static str,
        query: Statement<'_>,
    ) -> Result<Option<SqliteRow>, Error> {
        let found = query.fetch_optional(&self.readers).await;
        found.map_err(|source| Error::Load { what, file: Arc::clone(&self.file), source })
    }

    /// A write that is one statement. Every write goes through here or through [`Store::commit`].
    pub(crate) async fn execute(
        &self,
        effect: &'static str,
        what: &'static str,
        statement: Statement<'_>,
    ) -> Result<SqliteQueryResult, Error> {
        let done = self.faults.around(effect, statement.execute(&self.writer), no_answer).await;
        self.written(what, done).await
    }

    /// Begins a transaction.
    pub(crate) async fn write(&self, what: &'static str) -> Result<Writing, Error> {
        let begun = self.begin().await;
        self.written(what, begun).await
    }

    async fn begin(&self) -> Result<Writing, sqlx::Error> {
        let connection = self.writer.acquire().await?;
        let mut writing = Writing { connection, is_ended: false, file: Arc::clone(&self.file) };
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *writing.connection).await?;
        Ok(writing)
    }

    /// Ends a transaction: until then nothing is written.
    pub(crate) async fn commit(
        &self,
        effect: &'static str,
        what: &'static str,
        mut writing: Writing,
    ) -> Result<(), Error> {
        let commit = async {
            sqlx::query("COMMIT").execute(&mut *writing.connection).await?;
            writing.is_ended = true;
            Ok(())
        };
        let done = self.faults.around(effect, commit, no_answer).await;
        // It may hold the one connection that is looked at next.
        drop(writing);
        self.written(what, done).await
    }

    /// Closes the connection that could not write: one that was opened read-only stays so, and whether SQLite
    /// has rolled back by itself cannot be known.
    async fn written<T>(
        &self,
        what: &'static str,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, Error> {
        let source = match result {
            Ok(done) => return Ok(done),
            Err(source) => source,
        };
        if !is_of_use_after(&source)
            && let Ok(connection) = self.writer.acquire().await
        {
            // It is of no use, whatever it says at its end.
            let _ = connection.close().await;
        }
        Err(Error::Save { what, file: Arc::clone(&self.file), source })
    }

    /// Closes the database after what is underway.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl Writing {
    /// A statement of the transaction.
    pub(crate) async fn execute(
        &mut self,
        what: &'static str,
        statement: Statement<'_>,
    ) -> Result<SqliteQueryResult, Error> {
        let done = statement.execute(&mut *self.connection).await;
        done.map_err(|source| Error::Save { what, file: Arc::clone(&self.file), source })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.is_ended {
            self.connection.close_on_drop();
        }
    }
}

fn not_migrated(path: &Path, error: MigrateError) -> Error {
    let path = path.to_owned();
    match error {
        MigrateError::VersionMissing(version) => Error::Newer { path, version },
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)
            if Trouble::of(&source).is_some() =>
        {
            Error::Open { path, source }
        }
        source => Error::Migrate { path, source },
    }
}

/// Whether the connection is as before: a lock was not given, or a statement was refused for its values.
fn is_of_use_after(source: &sqlx::Error) -> bool {
    match source {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(_) => {
            matches!(Trouble::of(source), None | Some(Trouble::Locked))
        }
        _ => false,
    }
}

/// What a write says whose answer was lost.
fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())
}
