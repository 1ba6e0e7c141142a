use flumen_model::{EnvironmentName, JobId, JobName, OperationId, TeamId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;

use crate::{
    ApplyOutcome, Error, Principal, Refusal, Store,
    database::Writing,
    rows::{Columns, word},
};

/// One thing done to a job, as a durable list of steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// The team that owns it.
    pub team: TeamId,
    /// The job, while it exists; none of an apply whose release is not made yet.
    pub job: Option<JobId>,
    /// The environment of the job.
    pub environment: Option<EnvironmentName>,
    /// What it is done to, by name.
    pub subject: String,
    /// What is done.
    pub kind: OperationKind,
    /// What was asked for as JSON, while the job does not say it.
    pub request: Option<String>,
    /// Who asked for it.
    pub principal: String,
    /// How far it is.
    pub state: OperationState,
    /// Why it failed.
    pub error: Option<String>,
    /// The same, where a request would be refused for it.
    pub refusal: Option<Refusal>,
    /// What an apply changed, once its release was prepared and made.
    pub outcome: Option<ApplyOutcome>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What was done, in order.
    pub steps: Vec<Step>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationKind {
    /// Creates or changes a job as its file says.
    Apply,
    /// Starts a job.
    Start,
    /// Stops a job with a savepoint.
    Stop,
    /// Cancels a job.
    Cancel,
    /// Ends the run of a job and starts another.
    Restart,
    /// Takes a savepoint of a job.
    Savepoint,
    /// Ends a job and forgets it.
    Delete,
    /// Makes a Flink version available.
    AddVersion,
    /// Builds a project.
    BuildProject,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationState {
    /// Underway.
    Running,
    /// What was asked for is so.
    Succeeded,
    /// It will not become so.
    Failed,
    /// A later operation asked for something else.
    Superseded,
    /// Someone cancelled it.
    Canceled,
}

/// A step of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, for example `build-image`.
    pub name: String,
    /// How far it is.
    pub state: StepState,
    /// What it is about or what came of it.
    pub detail: Option<String>,
    /// The newest failure, also of a step that is being tried again.
    pub error: Option<String>,
    /// When it was begun first.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepState {
    /// Underway.
    Running,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Not needed any more: another operation took the place of this one.
    Skipped,
}

const WHAT: &str = "operations";

pub(crate) async fn insert(writing: &mut Writing, operation: &Operation) -> Result<(), Error> {
    if let Some(job) = operation.job {
        supersede(writing, job, operation.created_at).await?;
    }
    let statement = sqlx::query(
        "INSERT INTO operations (id, team, job, environment, subject, kind, request, principal, state, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'running', $9)",
    )
    .bind(operation.id.to_string())
    .bind(operation.team.to_string())
    .bind(operation.job.map(|job| job.to_string()))
    .bind(operation.environment.as_ref().map(|environment| environment.as_str().to_owned()))
    .bind(&operation.subject)
    .bind(word(&operation.kind))
    .bind(&operation.request)
    .bind(&operation.principal)
    .bind(operation.created_at.as_millisecond());
    writing.execute(WHAT, statement).await.map(drop)
}

/// Ends the operation of a job that is underway for what was asked of it later.
pub(crate) async fn supersede(
    writing: &mut Writing,
    job: JobId,
    now: Timestamp,
) -> Result<(), Error> {
    for sql in [
        "UPDATE operation_steps SET state = 'skipped', finished_at = $2 WHERE state = 'running' \
         AND operation IN (SELECT id FROM operations WHERE job = $1 AND state = 'running')",
        "UPDATE operations SET state = 'superseded', finished_at = $2 WHERE job = $1 AND state = 'running'",
    ] {
        let statement = sqlx::query(sql).bind(job.to_string()).bind(now.as_millisecond());
        writing.execute(WHAT, statement).await?;
    }
    Ok(())
}

/// Ends the operation of a job that is underway, and its steps.
pub(crate) async fn succeed_of_job(
    writing: &mut Writing,
    job: JobId,
    now: Timestamp,
) -> Result<(), Error> {
    for sql in [
        "UPDATE operation_steps SET state = 'succeeded', error = NULL, finished_at = $2 WHERE state = 'running' \
         AND operation IN (SELECT id FROM operations WHERE job = $1 AND state = 'running')",
        "UPDATE operations SET state = 'succeeded', finished_at = $2 WHERE job = $1 AND state = 'running'",
    ] {
        let statement = sqlx::query(sql).bind(job.to_string()).bind(now.as_millisecond());
        writing.execute(WHAT, statement).await?;
    }
    Ok(())
}

impl Store {
    /// Writes down an operation that is about no job, with its idempotency key and the hash of the request.
    pub async fn create_operation(
        &self,
        operation: &Operation,
        key: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        insert(&mut writing, operation).await?;
        if let Some((key, request)) = key {
            insert_key(&mut writing, &KeyRow { key, request }, operation).await?;
        }
        self.commit("store.create-operation", WHAT, writing).await
    }

    /// One operation with its steps.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>, Error> {
        let query = sqlx::query("SELECT * FROM operations WHERE id = $1").bind(id.to_string());
        let row = self.row(WHAT, query).await?;
        let Some(row) = row else { return Ok(None) };
        let mut operation = from_row(&row)?;
        operation.steps = self.steps(id).await?;
        Ok(Some(operation))
    }

    /// The operations of a team, newest first, without their steps; of the jobs that had this name, if one is named.
    pub async fn operations(
        &self,
        team: TeamId,
        job: Option<(&EnvironmentName, &JobName)>,
        limit: u32,
    ) -> Result<Vec<Operation>, Error> {
        let query = sqlx::query(
            "SELECT * FROM operations WHERE team = $1 AND ($2 IS NULL OR (environment = $2 AND subject = $3 \
             AND kind NOT IN ('addVersion', 'buildProject'))) ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(team.to_string())
        .bind(job.map(|(environment, _)| environment.as_str()))
        .bind(job.map(|(_, name)| name.as_str()))
        .bind(i64::from(limit));
        let rows = self.rows(WHAT, query).await?;
        rows.iter().map(from_row).collect()
    }

    /// The operations that add versions and did not end, for a server that starts.
    pub async fn unfinished_versions(&self) -> Result<Vec<Operation>, Error> {
        let query =
            sqlx::query("SELECT * FROM operations WHERE state = 'running' AND kind = 'addVersion'");
        let rows = self.rows(WHAT, query).await?;
        rows.iter().map(from_row).collect()
    }

    async fn steps(&self, id: OperationId) -> Result<Vec<Step>, Error> {
        let query =
            sqlx::query("SELECT * FROM operation_steps WHERE operation = $1 ORDER BY position")
                .bind(id.to_string());
        let rows = self.rows(WHAT, query).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of(row, "operation steps");
                Ok(Step {
                    name: columns.text("name")?,
                    state: columns.word("state")?,
                    detail: columns.optional_text("detail")?,
                    error: columns.optional_text("error")?,
                    started_at: columns.time("started_at")?,
                    finished_at: columns.optional_time("finished_at")?,
                })
            })
            .collect()
    }

    /// Begins a step, or goes on with it if it is the one that is underway.
    pub async fn begin_step(
        &self,
        id: OperationId,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let statement = sqlx::query(
            "INSERT INTO operation_steps (operation, position, name, state, started_at) \
             SELECT $1, (SELECT coalesce(max(position), 0) + 1 FROM operation_steps WHERE operation = $1), $2, 'running', $3 \
             WHERE EXISTS (SELECT 1 FROM operations WHERE id = $1 AND state = 'running') AND NOT EXISTS \
             (SELECT 1 FROM operation_steps WHERE operation = $1 AND name = $2 AND state = 'running')",
        )
        .bind(id.to_string())
        .bind(name)
        .bind(now.as_millisecond());
        self.execute("store.begin-step", WHAT, statement).await.map(drop)
    }

    /// Says something about the step that is underway.
    pub async fn note_step(
        &self,
        id: OperationId,
        name: &str,
        detail: Option<&str>,
        error: Option<&str>,
    ) -> Result<(), Error> {
        let statement = sqlx::query(
            "UPDATE operation_steps SET detail = coalesce($3, detail), error = $4 \
             WHERE operation = $1 AND name = $2 AND state = 'running'",
        )
        .bind(id.to_string())
        .bind(name)
        .bind(detail)
        .bind(error);
        self.execute("store.note-step", WHAT, statement).await.map(drop)
    }

    /// Ends the step that is underway.
    pub async fn finish_step(
        &self,
        id: OperationId,
        name: &str,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let state = if error.is_some() { StepState::Failed } else { StepState::Succeeded };
        let statement = sqlx::query(
            "UPDATE operation_steps SET state = $3, error = $4, finished_at = $5 \
             WHERE operation = $1 AND name = $2 AND state = 'running'",
        )
        .bind(id.to_string())
        .bind(name)
        .bind(word(&state))
        .bind(error)
        .bind(now.as_millisecond());
        self.execute("store.finish-step", WHAT, statement).await.map(drop)
    }

    /// Ends an operation that is underway, and with it every step that is.
    pub async fn finish_operation(
        &self,
        id: OperationId,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        let state =
            if error.is_some() { OperationState::Failed } else { OperationState::Succeeded };
        let statement = sqlx::query("UPDATE operations SET state = $2, error = $3, finished_at = $4 WHERE id = $1 AND state = 'running'")
            .bind(id.to_string())
            .bind(word(&state))
            .bind(error)
            .bind(now.as_millisecond());
        writing.execute(WHAT, statement).await?;
        let statement = sqlx::query("UPDATE operation_steps SET state = $2, finished_at = $3 WHERE operation = $1 AND state = 'running'")
            .bind(id.to_string())
            .bind(word(&state))
            .bind(now.as_millisecond());
        writing.execute(WHAT, statement).await?;
        self.commit("store.finish-operation", WHAT, writing).await
    }

    /// The operation that this principal started with this key before, and the hash of its request.
    pub async fn idempotent(
        &self,
        principal: &Principal,
        key: &str,
    ) -> Result<Option<(String, OperationId)>, Error> {
        let query = sqlx::query(
            "SELECT request, operation FROM idempotency_keys WHERE principal = $1 AND key = $2",
        )
        .bind(&principal.name)
        .bind(key);
        let row = self.row(WHAT, query).await?;
        row.map(|row| {
            let columns = Columns::of(&row, "idempotency keys");
            Ok((columns.text("request")?, columns.parsed("operation")?))
        })
        .transpose()
    }
}

/// An idempotency key to write down together with its operation.
#[derive(Debug, Clone)]
pub(crate) struct KeyRow<'a> {
    pub(crate) key: &'a str,
    pub(crate) request: &'a str,
}

pub(crate) async fn insert_key(
    writing: &mut Writing,
    row: &KeyRow<'_>,
    operation: &Operation,
) -> Result<(), Error> {
    let statement = sqlx::query("INSERT INTO idempotency_keys (principal, key, request, operation, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&operation.principal)
        .bind(row.key)
        .bind(row.request)
        .bind(operation.id.to_string())
        .bind(operation.created_at.as_millisecond());
    writing.execute(WHAT, statement).await.map(drop).map_err(|error| {
        error.or_exists(|| format!("an operation with the idempotency key {:?}", row.key))
    })
}

fn from_row(row: &SqliteRow) -> Result<Operation, Error> {
    let columns = Columns::of(row, WHAT);
    Ok(Operation {
        id: columns.parsed("id")?,
        team: columns.parsed("team")?,
        job: columns.optional_parsed("job")?,
        environment: columns.optional_parsed("environment")?,
        subject: columns.text("subject")?,
        kind: columns.word("kind")?,
        request: columns.optional_text("request")?,
        principal: columns.text("principal")?,
        state: columns.word("state")?,
        error: columns.optional_text("error")?,
        refusal: columns.optional_json("refusal")?,
        outcome: columns.optional_json("outcome")?,
        created_at: columns.time("created_at")?,
        finished_at: columns.optional_time("finished_at")?,
        steps: Vec::new(),
    })
}
