use flumen_model::JobId;
use jiff::Timestamp;

use crate::{Error, Store, rows::Columns};

/// An entry of a job's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEvent {
    /// Its place: later entries have higher numbers.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What sort: `state`, `operation`, `warning`.
    pub kind: String,
    /// What happened, in one sentence.
    pub message: String,
}

const WHAT: &str = "job events";

impl Store {
    /// Adds an entry.
    pub async fn save_event(
        &self,
        job: JobId,
        kind: &str,
        message: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query("INSERT INTO job_events (job, at, kind, message) VALUES ($1, $2, $3, $4)")
            .bind(job.to_string())
            .bind(now.as_millisecond())
            .bind(kind)
            .bind(message)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(|source| Error::Save { what: WHAT, source })
    }

    /// The entries before `before`, newest first.
    pub async fn events(
        &self,
        job: JobId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<JobEvent>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM job_events WHERE job = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(job.to_string())
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(|source| Error::Load { what: WHAT, source })?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of(row, WHAT);
                Ok(JobEvent {
                    id: columns.number("id")?,
                    at: columns.time("at")?,
                    kind: columns.text("kind")?,
                    message: columns.text("message")?,
                })
            })
            .collect()
    }
}
