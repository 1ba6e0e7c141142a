use flumen_lifecycle::{EndStep, FlinkState, Outcome, State, Status};
use flumen_model::{
    Delivery, Digest, EnvironmentName, JobId, ReleaseId, RestoreMode, RunId, StartFrom,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store,
    database::{Statement, Writing},
    rows::{Columns, json},
};

/// One start of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id, which is also the Flink job id where the version lets Flumen choose.
    pub id: RunId,
    /// The job.
    pub job: JobId,
    /// Counts the runs of the job from 1.
    pub number: i64,
    /// What was started.
    pub release: ReleaseId,
    /// Where.
    pub environment: EnvironmentName,
    /// What it is to start from, and how.
    pub start: RunStart,
    /// The snapshot that was found for that; none before it was looked for, and for empty state.
    pub restored: Option<String>,
    /// What its configuration comes to, once its objects are rendered.
    pub plan: Option<RunPlan>,
    /// The base image by digest, without the registry, if it is settled: of a run that was started as its job was
    /// applied from the beginning, of others once the image is made.
    pub base: Option<String>,
    /// The files that its pods fetch, where they do, once that is settled.
    pub delivery: Option<RunDelivery>,
    /// The image by digest, once it is made.
    pub image: Option<String>,
    /// The rendered objects as a JSON list, once they are rendered.
    pub objects: Option<String>,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// Flink's exception history at the end, as text.
    pub exceptions: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When Flink was first seen running it.
    pub running_at: Option<Timestamp>,
    /// When its end was saved.
    pub ended_at: Option<Timestamp>,
}

/// What a run starts from, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStart {
    /// From what.
    pub from: StartFrom,
    /// Whether state that no operator takes is dropped. Default: no, the start fails.
    #[serde(default)]
    pub allow_non_restored_state: bool,
    /// What becomes of the snapshot. Default: Flink's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_mode: Option<RestoreMode>,
}

/// What the configuration of a run comes to, where Flumen has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunPlan {
    /// How many checkpoints Flink keeps.
    pub retained_checkpoints: u64,
    /// The directory of its checkpoints, under which Flink makes one with the job id.
    pub checkpoints: Option<String>,
    /// The directory of its savepoints.
    pub savepoints: Option<String>,
    /// The directory in which Flink keeps what a restarted JobManager needs, and results.
    pub high_availability: Option<String>,
}

/// The files that the pods of a run fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDelivery {
    /// Who fetches them.
    pub by: Delivery,
    /// In the order in which they are fetched.
    pub files: Vec<DeliveredFile>,
}

/// A file that pods fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveredFile {
    /// Where Flink sees it in the pod, or from where it fetches it itself.
    pub path: String,
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

const WHAT: &str = "runs";

pub(crate) async fn insert(writing: &mut Writing, team: &str, run: &Run) -> Result<(), Error> {
    let statement = sqlx::query(
        "INSERT INTO runs (id, job, number, team, release_id, environment, start, created_at, base) \
         SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8 FROM runs WHERE job = $2",
    )
    .bind(run.id.to_string())
    .bind(run.job.to_string())
    .bind(team)
    .bind(run.release.to_string())
    .bind(run.environment.as_str())
    .bind(json(&run.start))
    .bind(run.created_at.as_millisecond())
    .bind(&run.base);
    writing.execute(WHAT, statement).await.map(drop)
}

/// What the status of a job changes in its run.
pub(crate) fn consequence(status: &Status, now: Timestamp) -> Option<Statement<'static>> {
    let run = status.run?.to_string();
    match &status.state {
        State::Live { flink: FlinkState::Running, .. } => {
            // The first time stands.
            let statement = "UPDATE runs SET running_at = $2 WHERE id = $1 AND running_at IS NULL";
            Some(sqlx::query(statement).bind(run).bind(now.as_millisecond()))
        }
        State::New
        | State::Starting { .. }
        | State::Live { .. }
        | State::Ending { step: EndStep::Save, .. }
        | State::Deleted => None,
        State::Ending { outcome, .. } | State::Ended { outcome, .. } => {
            // The first word stands, but for a savepoint that is found later: with it, the run was stopped.
            let statement = "UPDATE runs SET outcome = $2, reason = $3, ended_at = $4 WHERE id = $1 \
                 AND (outcome IS NULL OR ($2 = 'stopped' AND outcome IN ('unknown', 'finished')))";
            let statement = sqlx::query(statement).bind(run).bind(outcome.name());
            Some(statement.bind(status.reason.clone()).bind(now.as_millisecond()))
        }
    }
}

fn outcome_from(text: &str) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| outcome.name() == text)
}

impl Store {
    /// One run.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, Error> {
        let query = sqlx::query("SELECT * FROM runs WHERE id = $1").bind(id.to_string());
        let row = self.row(WHAT, query).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// The runs of a job, newest first.
    pub async fn runs(&self, job: JobId) -> Result<Vec<Run>, Error> {
        let query = sqlx::query("SELECT * FROM runs WHERE job = $1 ORDER BY number DESC")
            .bind(job.to_string());
        let rows = self.rows(WHAT, query).await?;
        rows.iter().map(from_row).collect()
    }

    /// The base image that a release of a job ran on last.
    pub async fn last_base(
        &self,
        job: JobId,
        release: &ReleaseId,
    ) -> Result<Option<String>, Error> {
        let query = sqlx::query(
            "SELECT base FROM runs WHERE job = $1 AND release_id = $2 AND base IS NOT NULL ORDER BY number DESC LIMIT 1",
        )
        .bind(job.to_string())
        .bind(release.to_string());
        let rows = self.rows(WHAT, query).await?;
        Ok(crate::rows::read_all(&rows, WHAT, |columns| columns.text("base"))?.pop())
    }

    /// Writes down the image that the run uses.
    pub async fn save_run_image(&self, id: RunId, image: &str, base: &str) -> Result<(), Error> {
        let statement = sqlx::query("UPDATE runs SET image = $2, base = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(image)
            .bind(base);
        self.execute("store.save-run-image", WHAT, statement).await.map(drop)
    }

    /// Writes down the image that the run uses, which is the base image, and the files that its pods fetch.
    pub async fn save_run_delivery(
        &self,
        id: RunId,
        (image, base): (&str, &str),
        delivery: &RunDelivery,
    ) -> Result<(), Error> {
        let statement =
            sqlx::query("UPDATE runs SET image = $2, base = $3, delivery = $4 WHERE id = $1")
                .bind(id.to_string())
                .bind(image)
                .bind(base)
                .bind(json(delivery));
        self.execute("store.save-run-delivery", WHAT, statement).await.map(drop)
    }

    /// The runs whose pods fetch files and may be there.
    pub async fn delivered_runs(&self) -> Result<Vec<Run>, Error> {
        let query = sqlx::query(
            "SELECT * FROM runs WHERE delivery IS NOT NULL AND objects IS NOT NULL AND ended_at IS NULL ORDER BY id",
        );
        let rows = self.rows(WHAT, query).await?;
        rows.iter().map(from_row).collect()
    }

    /// The newest base image that is settled for each job of an environment.
    pub async fn bases(
        &self,
        environment: &EnvironmentName,
    ) -> Result<Vec<(JobId, String)>, Error> {
        let query = sqlx::query(
            "SELECT job, base FROM runs WHERE base IS NOT NULL AND number = (SELECT max(number) FROM runs AS later \
             WHERE later.job = runs.job AND later.base IS NOT NULL) AND job IN (SELECT id FROM jobs WHERE environment = $1)",
        )
        .bind(environment.as_str());
        let rows = self.rows(WHAT, query).await?;
        crate::rows::read_all(&rows, WHAT, |columns| {
            Ok((columns.parsed("job")?, columns.text("base")?))
        })
    }

    /// Writes down the rendered objects, and what the configuration in them comes to.
    pub async fn save_run_objects(
        &self,
        id: RunId,
        objects: &str,
        plan: &RunPlan,
    ) -> Result<(), Error> {
        let statement = sqlx::query("UPDATE runs SET objects = $2, plan = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(objects)
            .bind(json(plan));
        self.execute("store.save-run-objects", WHAT, statement).await.map(drop)
    }

    /// Writes down the snapshot that was found for the run to start from.
    pub async fn save_run_restored(&self, id: RunId, path: Option<&str>) -> Result<(), Error> {
        let statement = sqlx::query("UPDATE runs SET restored = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(path);
        self.execute("store.save-run-restored", WHAT, statement).await.map(drop)
    }

    /// Writes down Flink's exception history.
    pub async fn save_run_exceptions(&self, id: RunId, exceptions: &str) -> Result<(), Error> {
        self.update_run(
            "store.save-run-exceptions",
            "UPDATE runs SET exceptions = $2 WHERE id = $1",
            id,
            exceptions,
        )
        .await
    }

    async fn update_run(
        &self,
        effect: &'static str,
        sql: &'static str,
        id: RunId,
        value: &str,
    ) -> Result<(), Error> {
        let statement = sqlx::query(sql).bind(id.to_string()).bind(value);
        self.execute(effect, WHAT, statement).await.map(drop)
    }
}

fn from_row(row: &sqlx::sqlite::SqliteRow) -> Result<Run, Error> {
    let columns = Columns::of(row, WHAT);
    let outcome = |text: String| outcome_from(&text).ok_or_else(|| columns.corrupt(&text));
    Ok(Run {
        id: columns.parsed("id")?,
        job: columns.parsed("job")?,
        number: columns.number("number")?,
        release: columns.parsed("release_id")?,
        environment: columns.parsed("environment")?,
        start: columns.json("start")?,
        restored: columns.optional_text("restored")?,
        plan: columns.optional_json("plan")?,
        base: columns.optional_text("base")?,
        delivery: columns.optional_json("delivery")?,
        image: columns.optional_text("image")?,
        objects: columns.optional_text("objects")?,
        outcome: columns.optional_text("outcome")?.map(outcome).transpose()?,
        reason: columns.optional_text("reason")?,
        exceptions: columns.optional_text("exceptions")?,
        created_at: columns.time("created_at")?,
        running_at: columns.optional_time("running_at")?,
        ended_at: columns.optional_time("ended_at")?,
    })
}
