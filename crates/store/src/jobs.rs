use flumen_lifecycle::{Desired, Status};
use flumen_model::{
    ClusterId, EnvironmentName, JobId, JobName, JobSpec, Namespace, ReleaseId, TeamId,
};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use crate::{
    Error, JobEvent, MadeRelease, Operation, Release, Run, Store,
    database::Writing,
    events,
    operations::{self, KeyRow},
    preparations, releases,
    rows::{Columns, json, word},
    runs,
};

/// A job: what users want of it and what Flumen knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id, which outlives its name.
    pub id: JobId,
    /// The team that owns it.
    pub team: TeamId,
    /// Where it runs.
    pub environment: EnvironmentName,
    /// Its name, unique in the environment.
    pub name: JobName,
    /// The cluster of the environment when the job was made.
    pub cluster: String,
    /// The Kubernetes namespace, likewise.
    pub namespace: Namespace,
    /// The name of its Deployment, unique in the namespace.
    pub cluster_id: ClusterId,
    /// The job file.
    pub spec: JobSpec,
    /// The newest release.
    pub release: ReleaseId,
    /// What is wanted.
    pub desired: Desired,
    /// What is known.
    pub status: Status,
    /// Counts what users change.
    pub version: i64,
    /// Counts what Flumen changes.
    pub status_version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A change of a job by a user, written down in one transaction: the job, its release, the run to
/// start, and the operation that does it.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    /// The job as it shall be; its versions are ignored.
    pub job: &'a Job,
    /// Its release.
    pub release: Option<&'a Release>,
    /// The run to start.
    pub run: Option<&'a Run>,
    /// The operation.
    pub operation: Option<&'a Operation>,
    /// The idempotency key and the hash of the request.
    pub key: Option<(&'a str, &'a str)>,
    /// The preparation of its release, which ends with this; `operation` is its operation then.
    pub preparation: Option<MadeRelease<'a>>,
    /// Whether this is in the place of a release of the job that is being prepared.
    pub ends_preparation: bool,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only this team's.
    pub team: Option<TeamId>,
    /// Only this environment's.
    pub environment: Option<EnvironmentName>,
    /// Only those after this environment and name, which is how pages go on.
    pub after: Option<(String, String)>,
    /// At most so many. Default: all.
    pub limit: Option<u32>,
}

const WHAT: &str = "jobs";

impl Store {
    /// Creates a job.
    ///
    /// # Errors
    /// [`Error::Exists`] if the name or the cluster id is taken.
    pub async fn create_job(&self, new: &NewJob<'_>) -> Result<(), Error> {
        let job = new.job;
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(
            "INSERT INTO jobs (id, team, environment, name, mode, session, cluster, namespace, cluster_id, spec, release_id, \
             desired, state, status, version, status_version, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, 1, $15, $15)",
        )
        .bind(job.id.to_string())
        .bind(job.team.to_string())
        .bind(job.environment.as_str())
        .bind(job.name.as_str())
        .bind(word(&job.spec.mode))
        .bind(&job.spec.session)
        .bind(&job.cluster)
        .bind(job.namespace.as_str())
        .bind(job.cluster_id.as_str())
        .bind(json(&job.spec))
        .bind(job.release.to_string())
        .bind(json(&job.desired))
        .bind(job.status.state.name())
        .bind(json(&job.status))
        .bind(job.created_at.as_millisecond());
        writing.execute(WHAT, statement).await.map_err(|error| {
            error.or_exists(|| {
                // The name may be taken in this environment, or in another on the same namespace.
                let Job { cluster_id, namespace, cluster, .. } = job;
                format!("a job {cluster_id} in namespace {namespace} of cluster {cluster}")
            })
        })?;
        write_parts(&mut writing, new).await?;
        self.commit("store.create-job", WHAT, writing).await
    }

    /// Changes what is wanted of a job, if it is still at the version that `new.job` was read at.
    ///
    /// # Errors
    /// [`Error::Stale`] if someone else changed it meanwhile.
    pub async fn update_job(&self, new: &NewJob<'_>) -> Result<(), Error> {
        let job = new.job;
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(
            "UPDATE jobs SET spec = $2, release_id = $3, desired = $4, version = version + 1, updated_at = $5 \
             WHERE id = $1 AND version = $6",
        )
        .bind(job.id.to_string())
        .bind(json(&job.spec))
        .bind(job.release.to_string())
        .bind(json(&job.desired))
        .bind(job.updated_at.as_millisecond())
        .bind(job.version);
        let rows = writing.execute(WHAT, statement).await?.rows_affected();
        if rows == 0 {
            return Err(Error::Stale { what: format!("job {}", job.name), version: job.version });
        }
        write_parts(&mut writing, new).await?;
        self.commit("store.update-job", WHAT, writing).await
    }

    /// Writes down what Flumen knows of a job now, if nobody else did since its `status_version`, together
    /// with what the timeline and the run say of that: when it was first seen running, and how it ended.
    ///
    /// # Errors
    /// [`Error::Stale`] if somebody did.
    pub async fn save_status(
        &self,
        job: &Job,
        event: Option<&JobEvent>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(
            "UPDATE jobs SET state = $2, status = $3, status_version = status_version + 1 \
             WHERE id = $1 AND status_version = $4",
        )
        .bind(job.id.to_string())
        .bind(job.status.state.name())
        .bind(json(&job.status))
        .bind(job.status_version);
        if writing.execute(WHAT, statement).await?.rows_affected() == 0 {
            let what = format!("the status of job {}", job.id);
            return Err(Error::Stale { what, version: job.status_version });
        }
        if let Some(event) = event {
            writing.execute(WHAT, events::insertion(job.id, event)).await?;
        }
        if let Some(statement) = runs::consequence(&job.status, now) {
            writing.execute(WHAT, statement).await?;
        }
        self.commit("store.save-status", WHAT, writing).await
    }

    /// Writes down what is wanted of a job, if no user changed it since `version`.
    pub async fn save_desired(
        &self,
        id: JobId,
        version: i64,
        desired: &Desired,
    ) -> Result<(), Error> {
        let statement = sqlx::query(
            "UPDATE jobs SET desired = $2, version = version + 1 WHERE id = $1 AND version = $3",
        )
        .bind(id.to_string())
        .bind(json(desired))
        .bind(version);
        self.execute("store.save-desired", WHAT, statement).await.map(drop)
    }

    /// One job by its id.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, Error> {
        let query = sqlx::query("SELECT * FROM jobs WHERE id = $1").bind(id.to_string());
        let row = self.row(WHAT, query).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// One job by its name.
    pub async fn job_named(
        &self,
        environment: &EnvironmentName,
        name: &JobName,
    ) -> Result<Option<Job>, Error> {
        let query = sqlx::query("SELECT * FROM jobs WHERE environment = $1 AND name = $2")
            .bind(environment.as_str())
            .bind(name.as_str());
        let row = self.row(WHAT, query).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// Every job with what counts its changes by users.
    pub async fn job_versions(&self) -> Result<Vec<(JobId, i64)>, Error> {
        let query = sqlx::query("SELECT id, version FROM jobs");
        let rows = self.rows(WHAT, query).await?;
        let version = |row: &SqliteRow| {
            let columns = Columns::of(row, WHAT);
            Ok((columns.parsed("id")?, columns.number("version")?))
        };
        rows.iter().map(version).collect()
    }

    /// The jobs that the filter lets through, by environment and name.
    pub async fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, Error> {
        let (after_environment, after_name) = filter.after.clone().unwrap_or_default();
        let query = sqlx::query(
            "SELECT * FROM jobs WHERE ($1 IS NULL OR team = $1) AND ($2 IS NULL OR environment = $2) \
             AND (environment > $3 OR (environment = $3 AND name > $4)) ORDER BY environment, name LIMIT $5",
        )
        .bind(filter.team.map(|team| team.to_string()))
        .bind(filter.environment.as_ref().map(|environment| environment.as_str().to_owned()))
        .bind(after_environment)
        .bind(after_name)
        .bind(filter.limit.map_or(-1, i64::from));
        let rows = self.rows(WHAT, query).await?;
        rows.iter().map(from_row).collect()
    }

    /// Forgets a job with its releases, runs and timeline; its operations stay, and the one that asked for
    /// this has succeeded: once the job is gone, nothing leads to it any more.
    pub async fn delete_job(&self, id: JobId, now: Timestamp) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        operations::succeed_of_job(&mut writing, id, now).await?;
        let statement = sqlx::query("DELETE FROM jobs WHERE id = $1").bind(id.to_string());
        writing.execute(WHAT, statement).await?;
        self.commit("store.delete-job", WHAT, writing).await
    }
}

async fn write_parts(writing: &mut Writing, new: &NewJob<'_>) -> Result<(), Error> {
    let team = new.job.team.to_string();
    if let Some(release) = new.release {
        releases::insert(writing, &team, release).await?;
    }
    if let Some(run) = new.run {
        runs::insert(writing, &team, run).await?;
    }
    if new.preparation.is_some() && new.operation.is_some() {
        operations::supersede(writing, new.job.id, new.job.updated_at).await?;
    }
    if let Some(made) = new.preparation {
        preparations::hand_over(writing, new.job, made, new.operation.is_some()).await?;
    }
    if new.ends_preparation {
        let place = (new.job.environment.as_str(), new.job.name.as_str());
        preparations::supersede(writing, new.job.team, place, new.job.updated_at).await?;
    }
    if let Some(operation) = new.operation.filter(|_| new.preparation.is_none()) {
        operations::insert(writing, operation).await?;
        if let Some((key, request)) = new.key {
            operations::insert_key(writing, &KeyRow { key, request }, operation).await?;
        }
    }
    Ok(())
}

fn from_row(row: &SqliteRow) -> Result<Job, Error> {
    let columns = Columns::of(row, WHAT);
    Ok(Job {
        id: columns.parsed("id")?,
        team: columns.parsed("team")?,
        environment: columns.parsed("environment")?,
        name: columns.parsed("name")?,
        cluster: columns.text("cluster")?,
        namespace: columns.parsed("namespace")?,
        cluster_id: columns.parsed("cluster_id")?,
        spec: columns.json("spec")?,
        release: columns.parsed("release_id")?,
        desired: columns.json("desired")?,
        status: columns.json("status")?,
        version: columns.number("version")?,
        status_version: columns.number("status_version")?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}
