use flumen_model::{EventId, JobId};
use jiff::Timestamp;

use crate::{Error, Store, database::Statement, rows::read_all};

/// An entry of a job's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEvent {
    /// Its id; ids sort by time.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What sort: `state`, `operation`, `warning`.
    pub kind: String,
    /// What happened, in one sentence.
    pub message: String,
}

const WHAT: &str = "job events";

pub(crate) fn insertion(job: JobId, event: &JobEvent) -> Statement<'static> {
    sqlx::query("INSERT INTO job_events (id, job, at, kind, message) VALUES ($1, $2, $3, $4, $5)")
        .bind(event.id.to_string())
        .bind(job.to_string())
        .bind(event.at.as_millisecond())
        .bind(event.kind.clone())
        .bind(event.message.clone())
}

impl Store {
    /// Adds an entry.
    pub async fn save_event(&self, job: JobId, event: &JobEvent) -> Result<(), Error> {
        self.execute("store.save-event", WHAT, insertion(job, event)).await.map(drop)
    }

    /// The entries before `before`, newest first.
    pub async fn events(
        &self,
        job: JobId,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<JobEvent>, Error> {
        let query = sqlx::query(
            "SELECT * FROM job_events WHERE job = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(job.to_string())
        .bind(before.map_or_else(|| "~".to_owned(), |id| id.to_string()))
        .bind(i64::from(limit));
        let found = self.rows(WHAT, query).await?;
        read_all(&found, WHAT, |columns| {
            Ok(JobEvent {
                id: columns.parsed("id")?,
                at: columns.time("at")?,
                kind: columns.text("kind")?,
                message: columns.text("message")?,
            })
        })
    }
}
