use std::time::Duration;

use flumen_model::{
    ByteSize, EnvironmentName, JobId, JobName, OperationId, RunId, SnapshotId, TeamId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;

use crate::{
    Error, Job, Store,
    database::Writing,
    rows::{Columns, word},
};

/// A savepoint or a checkpoint that Flink completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The team that owns it.
    pub team: TeamId,
    /// The environment of its job.
    pub environment: EnvironmentName,
    /// Its job; none if that is forgotten.
    pub job: Option<JobId>,
    /// The name of its job.
    pub job_name: JobName,
    /// The run that made it.
    pub run: RunId,
    /// What it is.
    pub kind: SnapshotKind,
    /// Why it was made.
    pub cause: SnapshotCause,
    /// The operation that asked for it, if one did.
    pub operation: Option<OperationId>,
    /// Flink's number of it in the job, if Flink told.
    pub number: Option<u64>,
    /// `canonical` or `native`, of a savepoint, if Flink told.
    pub format: Option<String>,
    /// Where it lies, as Flink sees it.
    pub path: String,
    /// What it takes to restore it, if Flink told.
    pub size: Option<ByteSize>,
    /// How long it took, if Flink told.
    pub duration: Option<Duration>,
    /// When it was begun, if Flink told.
    pub triggered_at: Option<Timestamp>,
    /// When it was complete, or when that was heard of.
    pub completed_at: Timestamp,
}

/// What a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotKind {
    /// Flink's own, which it deletes when newer ones take its place.
    Checkpoint,
    /// Someone asked for it, and it stays.
    Savepoint,
}

/// Why a snapshot was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotCause {
    /// The checkpoint interval.
    Periodic,
    /// An operation that asked for a savepoint.
    Savepoint,
    /// An operation that stopped the job with it.
    Stop,
    /// Someone else than Flumen.
    Other,
}

/// Which snapshots to list.
#[derive(Debug, Clone, Default)]
pub struct SnapshotFilter {
    /// Only this team's.
    pub team: Option<TeamId>,
    /// Only this job's.
    pub job: Option<JobId>,
    /// Only this run's.
    pub run: Option<RunId>,
    /// Only those before this one, which is how pages go on.
    pub before: Option<SnapshotId>,
    /// At most so many. Default: all.
    pub limit: Option<u32>,
}

const WHAT: &str = "snapshots";

/// When the id was made, in milliseconds.
fn made_at(id: SnapshotId) -> Option<i64> {
    let (seconds, nanoseconds) = id.as_uuid().get_timestamp()?.to_unix();
    i64::try_from(seconds).ok()?.checked_mul(1000)?.checked_add(i64::from(nanoseconds / 1_000_000))
}

impl Store {
    /// Writes snapshots of a run down. What is known of one that is there already is completed, never
    /// taken back; of its checkpoints the newest `retained` are kept, as Flink keeps them.
    pub async fn save_snapshots(
        &self,
        job: &Job,
        run: RunId,
        snapshots: &[Snapshot],
        retained: u64,
    ) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        for snapshot in snapshots {
            insert(&mut writing, job, snapshot).await?;
        }
        let statement = sqlx::query(
            "DELETE FROM snapshots WHERE run = $1 AND kind = 'checkpoint' AND id NOT IN \
             (SELECT id FROM snapshots WHERE run = $1 AND kind = 'checkpoint' ORDER BY number DESC LIMIT $2)",
        )
        .bind(run.to_string())
        .bind(i64::try_from(retained).unwrap_or(i64::MAX));
        writing.execute(WHAT, statement).await?;
        self.commit("store.save-snapshots", WHAT, writing).await
    }

    /// Forgets the checkpoints of a run whose job finished: Flink deletes them then.
    pub async fn delete_checkpoints(&self, run: RunId) -> Result<(), Error> {
        let statement = sqlx::query("DELETE FROM snapshots WHERE run = $1 AND kind = 'checkpoint'")
            .bind(run.to_string());
        self.execute("store.delete-checkpoints", WHAT, statement).await.map(drop)
    }

    /// One snapshot.
    pub async fn snapshot(&self, id: SnapshotId) -> Result<Option<Snapshot>, Error> {
        let query = sqlx::query("SELECT * FROM snapshots WHERE id = $1").bind(id.to_string());
        let row = self.row(WHAT, query).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// The snapshots that the filter lets through, newest first.
    pub async fn snapshots(&self, filter: &SnapshotFilter) -> Result<Vec<Snapshot>, Error> {
        let query = sqlx::query(
            "SELECT * FROM snapshots WHERE ($1 IS NULL OR team = $1) AND ($2 IS NULL OR job = $2) AND ($3 IS NULL OR run = $3) \
             AND ($4 IS NULL OR (completed_at, id) < (coalesce((SELECT completed_at FROM snapshots WHERE id = $4), $6), $4)) \
             ORDER BY completed_at DESC, id DESC LIMIT $5",
        )
        .bind(filter.team.map(|team| team.to_string()))
        .bind(filter.job.map(|job| job.to_string()))
        .bind(filter.run.map(|run| run.to_string()))
        .bind(filter.before.map(|id| id.to_string()))
        .bind(filter.limit.map_or(-1, i64::from))
        // One that was forgotten since is placed by the time in its id: nothing is left out.
        .bind(filter.before.and_then(made_at));
        let rows = self.rows(WHAT, query).await?;
        rows.iter().map(from_row).collect()
    }
}

async fn insert(writing: &mut Writing, job: &Job, snapshot: &Snapshot) -> Result<(), Error> {
    let statement = sqlx::query(
        "INSERT INTO snapshots (id, team, environment, job, job_name, run, kind, cause, operation, number, format, path, \
         size_bytes, duration_ms, triggered_at, completed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT (run, path) DO UPDATE SET \
         cause = CASE WHEN excluded.operation IS NULL THEN snapshots.cause ELSE excluded.cause END, \
         operation = coalesce(snapshots.operation, excluded.operation), number = coalesce(snapshots.number, excluded.number), \
         format = coalesce(snapshots.format, excluded.format), size_bytes = coalesce(snapshots.size_bytes, excluded.size_bytes), \
         duration_ms = coalesce(snapshots.duration_ms, excluded.duration_ms), \
         triggered_at = coalesce(snapshots.triggered_at, excluded.triggered_at)",
    )
    .bind(snapshot.id.to_string())
    .bind(job.team.to_string())
    .bind(job.environment.as_str())
    .bind(job.id.to_string())
    .bind(job.name.as_str())
    .bind(snapshot.run.to_string())
    .bind(word(&snapshot.kind))
    .bind(word(&snapshot.cause))
    .bind(snapshot.operation.map(|operation| operation.to_string()))
    .bind(snapshot.number.and_then(|number| i64::try_from(number).ok()))
    .bind(&snapshot.format)
    .bind(&snapshot.path)
    .bind(snapshot.size.and_then(|size| i64::try_from(size.bytes()).ok()))
    .bind(snapshot.duration.and_then(|time| i64::try_from(time.as_millis()).ok()))
    .bind(snapshot.triggered_at.map(Timestamp::as_millisecond))
    .bind(snapshot.completed_at.as_millisecond());
    writing.execute(WHAT, statement).await.map(drop)
}

fn from_row(row: &SqliteRow) -> Result<Snapshot, Error> {
    let columns = Columns::of(row, WHAT);
    let number = |column| {
        Ok::<_, Error>(columns.optional_number(column)?.and_then(|value| u64::try_from(value).ok()))
    };
    Ok(Snapshot {
        id: columns.parsed("id")?,
        team: columns.parsed("team")?,
        environment: columns.parsed("environment")?,
        job: columns.optional_parsed("job")?,
        job_name: columns.parsed("job_name")?,
        run: columns.parsed("run")?,
        kind: columns.word("kind")?,
        cause: columns.word("cause")?,
        operation: columns.optional_parsed("operation")?,
        number: number("number")?,
        format: columns.optional_text("format")?,
        path: columns.text("path")?,
        size: number("size_bytes")?.map(ByteSize::from_bytes),
        duration: number("duration_ms")?.map(Duration::from_millis),
        triggered_at: columns.optional_time("triggered_at")?,
        completed_at: columns.time("completed_at")?,
    })
}
