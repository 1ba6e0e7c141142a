//! Preparations: applies whose release is not made yet. Their operations have no job, also where there is one
//! already: what is underway on that goes on meanwhile. Each of them ends once, whoever ends it.

use flumen_model::{EnvironmentName, JobName, Kind, OperationId, TeamId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Job, Operation, OperationState, StepState, Store,
    database::Writing,
    operations::{self, KeyRow},
    rows::{Columns, json, read_all, word},
};

/// What applying a job file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// The job is new.
    Created,
    /// It was so already.
    Unchanged,
    /// It was changed; nothing is restarted for that.
    Configured,
    /// It was changed, and the run is replaced, as its `upgradeMode` says.
    Restart,
}

/// What came of a job file whose release had to be prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyOutcome {
    /// What changed.
    pub change: Change,
    /// What is doubtful about it.
    pub warnings: Vec<String>,
}

/// Why a release could not be made, as whoever asked would be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// What sort of failure it is.
    pub kind: Kind,
    /// Its stable code.
    pub code: String,
    /// What failed, and on what.
    pub message: String,
    /// What lies behind it, the nearest cause first.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A preparation that ends with the change of the job that it was for.
#[derive(Debug, Clone, Copy)]
pub struct MadeRelease<'a> {
    /// Its operation, which goes on as that of the change if that has one.
    pub operation: OperationId,
    /// What came of it.
    pub outcome: &'a ApplyOutcome,
}

/// How a preparation ends that changes no job.
#[derive(Debug, Clone, Copy)]
pub enum PreparationEnd<'a> {
    /// Its release cannot be made.
    Refused(&'a Refusal),
    /// Someone cancelled it.
    Canceled,
    /// Something else was asked of the job meanwhile.
    Superseded,
    /// The job is so already.
    Unchanged(&'a ApplyOutcome),
}

const WHAT: &str = "operations";

impl Store {
    /// Writes down an apply whose release is to be prepared, in the place of an earlier one of the same job, with
    /// its idempotency key and the hash of the request.
    pub async fn create_preparation(
        &self,
        operation: &Operation,
        key: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        if let Some(environment) = &operation.environment {
            let place = (environment.as_str(), operation.subject.as_str());
            supersede(&mut writing, operation.team, place, operation.created_at).await?;
        }
        operations::insert(&mut writing, operation).await?;
        if let Some((key, request)) = key {
            operations::insert_key(&mut writing, &KeyRow { key, request }, operation).await?;
        }
        self.commit("store.create-preparation", WHAT, writing).await
    }

    /// The applies whose release is still to be made, in their order.
    pub async fn preparations(&self) -> Result<Vec<OperationId>, Error> {
        let query = sqlx::query(
            "SELECT id FROM operations WHERE kind = 'apply' AND job IS NULL AND state = 'running' ORDER BY created_at",
        );
        let rows = self.rows(WHAT, query).await?;
        read_all(&rows, WHAT, |columns| columns.parsed("id"))
    }

    /// Whether the release of this apply is still to be made.
    pub async fn is_preparing(&self, id: OperationId) -> Result<bool, Error> {
        let query = sqlx::query(
            "SELECT id FROM operations WHERE id = $1 AND kind = 'apply' AND job IS NULL AND state = 'running'",
        )
        .bind(id.to_string());
        Ok(self.row(WHAT, query).await?.is_some())
    }

    /// The apply of this job whose release is still to be made.
    pub async fn preparation_of(
        &self,
        team: TeamId,
        environment: &EnvironmentName,
        name: &JobName,
    ) -> Result<Option<OperationId>, Error> {
        let query = sqlx::query(
            "SELECT id FROM operations WHERE team = $1 AND environment = $2 AND subject = $3 AND kind = 'apply' \
             AND job IS NULL AND state = 'running'",
        )
        .bind(team.to_string())
        .bind(environment.as_str())
        .bind(name.as_str());
        let row = self.row(WHAT, query).await?;
        row.map(|row| Columns::of(&row, WHAT).parsed("id")).transpose()
    }

    /// Begins a step of a preparation, or takes it up again where it was begun before; says whether there is
    /// anything to prepare any more.
    pub async fn begin_preparation_step(
        &self,
        id: OperationId,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let statement = sqlx::query(
            "INSERT INTO operation_steps (operation, position, name, state, started_at) \
             SELECT $1, coalesce((SELECT position FROM operation_steps WHERE operation = $1 AND name = $2), \
             (SELECT coalesce(max(position), 0) + 1 FROM operation_steps WHERE operation = $1)), $2, 'running', $3 \
             WHERE EXISTS (SELECT 1 FROM operations WHERE id = $1 AND job IS NULL AND state = 'running') \
             ON CONFLICT (operation, position) DO UPDATE SET state = 'running', error = NULL, finished_at = NULL",
        )
        .bind(id.to_string())
        .bind(name)
        .bind(now.as_millisecond());
        let done = self.execute("store.begin-preparation-step", WHAT, statement).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends a preparation that is underway, and its steps; says whether it was.
    pub async fn end_preparation(
        &self,
        id: OperationId,
        end: PreparationEnd<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (state, steps) = match end {
            PreparationEnd::Refused(_) => (OperationState::Failed, StepState::Failed),
            PreparationEnd::Canceled => (OperationState::Canceled, StepState::Skipped),
            PreparationEnd::Superseded => (OperationState::Superseded, StepState::Skipped),
            PreparationEnd::Unchanged(_) => (OperationState::Succeeded, StepState::Succeeded),
        };
        let refusal = match end {
            PreparationEnd::Refused(refusal) => Some(refusal),
            _ => None,
        };
        let outcome = match end {
            PreparationEnd::Unchanged(outcome) => Some(outcome),
            _ => None,
        };
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(
            "UPDATE operations SET state = $2, error = $3, refusal = $4, outcome = $5, request = NULL, finished_at = $6 \
             WHERE id = $1 AND kind = 'apply' AND job IS NULL AND state = 'running'",
        )
        .bind(id.to_string())
        .bind(word(&state))
        .bind(refusal.map(paragraph))
        .bind(refusal.map(json))
        .bind(outcome.map(json))
        .bind(now.as_millisecond());
        if writing.execute(WHAT, statement).await?.rows_affected() == 0 {
            return Ok(false);
        }
        let statement = sqlx::query(
            "UPDATE operation_steps SET state = $2, error = $3, finished_at = $4 WHERE operation = $1 AND state = 'running'",
        )
        .bind(id.to_string())
        .bind(word(&steps))
        .bind(refusal.map(paragraph))
        .bind(now.as_millisecond());
        writing.execute(WHAT, statement).await?;
        self.commit("store.end-preparation", WHAT, writing).await?;
        Ok(true)
    }
}

/// The failure and its causes.
pub(crate) fn paragraph(refusal: &Refusal) -> String {
    let parts = std::iter::once(&refusal.message).chain(&refusal.causes);
    parts.map(String::as_str).collect::<Vec<_>>().join(": ")
}

/// Gives the operation of a preparation to the job that its release is of. Where nothing more is to be done, it ends.
pub(crate) async fn hand_over(
    writing: &mut Writing,
    job: &Job,
    made: MadeRelease<'_>,
    goes_on: bool,
) -> Result<(), Error> {
    let now = job.updated_at.as_millisecond();
    let state = if goes_on { OperationState::Running } else { OperationState::Succeeded };
    let statement = sqlx::query(
        "UPDATE operations SET job = $2, outcome = $3, request = NULL, state = $4, finished_at = $5 \
         WHERE id = $1 AND job IS NULL AND state = 'running'",
    )
    .bind(made.operation.to_string())
    .bind(job.id.to_string())
    .bind(json(made.outcome))
    .bind(word(&state))
    .bind((!goes_on).then_some(now));
    if writing.execute(WHAT, statement).await?.rows_affected() == 0 {
        return Err(Error::NotUnderway { what: format!("operation {}", made.operation) });
    }
    let statement = sqlx::query(
        "UPDATE operation_steps SET state = 'succeeded', detail = $2, finished_at = $3 WHERE operation = $1 \
         AND state = 'running'",
    )
    .bind(made.operation.to_string())
    .bind(job.release.short())
    .bind(now);
    writing.execute(WHAT, statement).await.map(drop)
}

/// Ends the preparation of a job for what was asked of it later.
pub(crate) async fn supersede(
    writing: &mut Writing,
    team: TeamId,
    (environment, name): (&str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    for sql in [
        "UPDATE operation_steps SET state = 'skipped', finished_at = $4 WHERE state = 'running' AND operation IN \
         (SELECT id FROM operations WHERE team = $1 AND environment = $2 AND subject = $3 AND kind = 'apply' \
         AND job IS NULL AND state = 'running')",
        "UPDATE operations SET state = 'superseded', request = NULL, finished_at = $4 WHERE team = $1 \
         AND environment = $2 AND subject = $3 AND kind = 'apply' AND job IS NULL AND state = 'running'",
    ] {
        let statement = sqlx::query(sql)
            .bind(team.to_string())
            .bind(environment)
            .bind(name)
            .bind(now.as_millisecond());
        writing.execute(WHAT, statement).await?;
    }
    Ok(())
}
