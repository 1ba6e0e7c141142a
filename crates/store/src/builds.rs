//! Builds of projects. How far one is, its operation says; that ends once, whoever ends it. What stands in the cluster of a
//! build is removed after that, so that a server which dies in between knows what is left to be done.

use flumen_model::{Digest, OperationId, ProjectName};
use jiff::Timestamp;

use crate::{
    Error, Operation, OperationState, Refusal, StepState, Store,
    operations::{self, KeyRow},
    preparations::paragraph,
    rows::{Columns, json, read_all, word},
};

/// One build of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectBuild {
    /// Its operation.
    pub operation: OperationId,
    /// The project.
    pub project: ProjectName,
    /// Counts the builds of the project from 1.
    pub number: i64,
    /// What was to be built: a branch, a tag or a commit.
    pub reference: String,
    /// How far it is.
    pub state: OperationState,
    /// Why it failed.
    pub error: Option<String>,
    /// What it made.
    pub artifact: Option<BuiltArtifact>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who asked for it.
    pub created_by: String,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When nothing of it was left in the cluster.
    pub removed_at: Option<Timestamp>,
}

/// The jar of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltArtifact {
    /// The commit that it was built from.
    pub commit: String,
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where it was, below the directory of the project.
    pub path: String,
}

/// How a build ends.
#[derive(Debug, Clone, Copy)]
pub enum BuildEnd<'a> {
    /// It made a jar, which is among the artifacts.
    Built(&'a BuiltArtifact),
    /// It made none.
    Refused(&'a Refusal),
    /// Someone cancelled it.
    Canceled,
}

const WHAT: &str = "builds of projects";

/// What is read of a build.
macro_rules! builds {
    () => {
        "SELECT project_builds.*, operations.state, operations.error, operations.principal, operations.created_at, \
         operations.finished_at FROM project_builds JOIN operations ON operations.id = project_builds.operation "
    };
}

impl Store {
    /// Writes down that a project is to be built, with its idempotency key and the hash of the request; says whether that
    /// is so, which it is not while another build of it goes on.
    pub async fn create_build(
        &self,
        operation: &Operation,
        (project, reference): (&ProjectName, &str),
        key: Option<(&str, &str)>,
    ) -> Result<bool, Error> {
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(
            "INSERT INTO project_builds (operation, project, number, reference) \
             SELECT $1, $2, (SELECT coalesce(max(number), 0) + 1 FROM project_builds WHERE project = $2), $3 \
             WHERE EXISTS (SELECT 1 FROM projects WHERE name = $2) AND NOT EXISTS (SELECT 1 FROM project_builds \
             JOIN operations ON operations.id = project_builds.operation WHERE project = $2 AND operations.state = 'running')",
        )
        .bind(operation.id.to_string())
        .bind(project.as_str())
        .bind(reference);
        if writing.execute(WHAT, statement).await?.rows_affected() == 0 {
            return Ok(false);
        }
        operations::insert(&mut writing, operation).await?;
        if let Some((key, request)) = key {
            operations::insert_key(&mut writing, &KeyRow { key, request }, operation).await?;
        }
        self.commit("store.create-build", WHAT, writing).await.map(|()| true)
    }

    /// The builds of a project, newest first.
    pub async fn builds(
        &self,
        project: &ProjectName,
        limit: u32,
    ) -> Result<Vec<ProjectBuild>, Error> {
        let query =
            sqlx::query(concat!(builds!(), "WHERE project = $1 ORDER BY number DESC LIMIT $2"))
                .bind(project.as_str())
                .bind(i64::from(limit));
        read_all(&self.rows(WHAT, query).await?, WHAT, read)
    }

    /// One build.
    pub async fn build(&self, operation: OperationId) -> Result<Option<ProjectBuild>, Error> {
        let query =
            sqlx::query(concat!(builds!(), "WHERE operation = $1")).bind(operation.to_string());
        self.row(WHAT, query).await?.map(|row| read(&Columns::of(&row, WHAT))).transpose()
    }

    /// The newest build of a project that made a jar.
    pub async fn newest_good_build(
        &self,
        project: &ProjectName,
    ) -> Result<Option<ProjectBuild>, Error> {
        let query = sqlx::query(concat!(
            builds!(),
            "WHERE project = $1 AND digest IS NOT NULL ORDER BY number DESC LIMIT 1"
        ))
        .bind(project.as_str());
        self.row(WHAT, query).await?.map(|row| read(&Columns::of(&row, WHAT))).transpose()
    }

    /// The builds that go on, or of which something may still be in the cluster, in their order.
    pub async fn standing_builds(&self) -> Result<Vec<OperationId>, Error> {
        let query = sqlx::query(
            "SELECT operation FROM project_builds WHERE removed_at IS NULL ORDER BY operation",
        );
        read_all(&self.rows(WHAT, query).await?, WHAT, |columns| columns.parsed("operation"))
    }

    /// Ends a build that goes on, and its steps; says whether it did.
    pub async fn end_build(
        &self,
        id: OperationId,
        end: BuildEnd<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (state, steps, refusal) = match end {
            BuildEnd::Built(_) => (OperationState::Succeeded, StepState::Succeeded, None),
            BuildEnd::Refused(refusal) => {
                (OperationState::Failed, StepState::Failed, Some(refusal))
            }
            BuildEnd::Canceled => (OperationState::Canceled, StepState::Skipped, None),
        };
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(
            "UPDATE operations SET state = $2, error = $3, refusal = $4, finished_at = $5 \
             WHERE id = $1 AND kind = 'buildProject' AND state = 'running'",
        )
        .bind(id.to_string())
        .bind(word(&state))
        .bind(refusal.map(paragraph))
        .bind(refusal.map(json))
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
        if let BuildEnd::Built(artifact) = end {
            let statement = sqlx::query(
                "UPDATE project_builds SET commit_id = $2, digest = $3, size = $4, path = $5 WHERE operation = $1",
            )
            .bind(id.to_string())
            .bind(&artifact.commit)
            .bind(artifact.digest.as_str())
            .bind(i64::try_from(artifact.size).unwrap_or(i64::MAX))
            .bind(&artifact.path);
            writing.execute(WHAT, statement).await?;
        }
        self.commit("store.end-build", WHAT, writing).await.map(|()| true)
    }

    /// Remembers that nothing of an ended build is in the cluster any more.
    pub async fn build_removed(&self, id: OperationId, now: Timestamp) -> Result<(), Error> {
        let statement = sqlx::query(
            "UPDATE project_builds SET removed_at = $2 WHERE operation = $1 AND removed_at IS NULL",
        )
        .bind(id.to_string())
        .bind(now.as_millisecond());
        self.execute("store.build-removed", WHAT, statement).await.map(drop)
    }

    /// The builds that are more than each project keeps, oldest first. The newest that made a jar stays.
    pub async fn surplus_builds(&self, keep: u32) -> Result<Vec<OperationId>, Error> {
        let query = sqlx::query(
            "SELECT operation FROM project_builds WHERE removed_at IS NOT NULL AND (SELECT count(*) FROM project_builds \
             AS later WHERE later.project = project_builds.project AND later.number > project_builds.number) >= $1 \
             AND (digest IS NULL OR EXISTS (SELECT 1 FROM project_builds AS later WHERE later.digest IS NOT NULL \
             AND later.project = project_builds.project AND later.number > project_builds.number)) ORDER BY operation",
        )
        .bind(i64::from(keep.max(1)));
        read_all(&self.rows(WHAT, query).await?, WHAT, |columns| columns.parsed("operation"))
    }

    /// Forgets a build of which nothing is in the cluster any more.
    pub async fn forget_build(&self, id: OperationId) -> Result<(), Error> {
        let statement = sqlx::query(
            "DELETE FROM project_builds WHERE operation = $1 AND removed_at IS NOT NULL",
        )
        .bind(id.to_string());
        self.execute("store.forget-build", WHAT, statement).await.map(drop)
    }
}

fn read(columns: &Columns<'_>) -> Result<ProjectBuild, Error> {
    Ok(ProjectBuild {
        operation: columns.parsed("operation")?,
        project: columns.parsed("project")?,
        number: columns.number("number")?,
        reference: columns.text("reference")?,
        state: columns.word("state")?,
        error: columns.optional_text("error")?,
        artifact: artifact(columns)?,
        created_at: columns.time("created_at")?,
        created_by: columns.text("principal")?,
        finished_at: columns.optional_time("finished_at")?,
        removed_at: columns.optional_time("removed_at")?,
    })
}

fn artifact(columns: &Columns<'_>) -> Result<Option<BuiltArtifact>, Error> {
    let Some(digest) = columns.optional_parsed("digest")? else { return Ok(None) };
    let size = columns.number("size")?;
    Ok(Some(BuiltArtifact {
        commit: columns.text("commit_id")?,
        digest,
        size: u64::try_from(size).map_err(|_| columns.corrupt(&size.to_string()))?,
        path: columns.text("path")?,
    }))
}
