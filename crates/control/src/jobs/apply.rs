use flumen_lifecycle::{Desired, Intent, JobState, Status};
use flumen_model::{ArtifactRole, ClusterId, Digest, JobKind, JobSpec, Mode, OperationId};
use flumen_store::{Environment, Job, NewJob, Principal, Release, ReleaseArtifact, Run};

use super::wish::new_operation;
use crate::{Control, Error, JobView, actions::render_objects, clock, identity, release};

/// A job file and its uploaded artifacts.
#[derive(Debug, Clone)]
pub struct ApplyJob {
    /// The job file.
    pub spec: JobSpec,
    /// Its artifacts, uploaded before; the main one first.
    pub artifacts: Vec<UploadedArtifact>,
    /// Whether the job shall run.
    pub start: bool,
    /// The version of the job that the caller has seen. Default: any.
    pub if_match: Option<i64>,
    /// The idempotency key, and the hash of the request. Default: none.
    pub key: Option<(String, String)>,
}

/// An artifact that was uploaded.
#[derive(Debug, Clone)]
pub struct UploadedArtifact {
    /// The file name it gets.
    pub name: String,
    /// Its content.
    pub digest: Digest,
    /// What it is for.
    pub role: ArtifactRole,
}

/// What applying a job file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The job is new.
    Created,
    /// It was so already.
    Unchanged,
    /// It was changed; it does not run, so nothing is restarted.
    Configured,
}

/// The outcome of applying a job file.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The job.
    pub job: JobView,
    /// The operation that starts it, if it is to be started.
    pub operation: Option<OperationId>,
    /// What changed.
    pub change: Change,
}

impl Control {
    /// Creates or changes a job from its file and, if asked for, starts it: a new job, or a changed one
    /// that does not run. An unchanged job is left as it is.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what cannot be, [`Error::NotFound`] for an unknown environment, Flink version or
    /// artifact, [`Error::Conflict`] if the job runs and would have to be restarted.
    pub async fn apply_job(
        &self,
        principal: &Principal,
        apply: ApplyJob,
    ) -> Result<Applied, Error> {
        if let Some(operation) = self.replayed(principal, apply.key.as_ref()).await? {
            let job = self.job(principal, &apply.spec.environment, &apply.spec.name).await?;
            return Ok(Applied { job, operation: Some(operation), change: Change::Unchanged });
        }
        let environment = self.checked(&apply.spec).await?;
        let artifacts = self.release_artifacts(&apply).await?;
        let content = release::content(&apply.spec, artifacts);
        render_objects::check_renders(&apply.spec, &environment, &content)?;
        let id = release::id(&content);
        let existing = self.store().job_named(&apply.spec.environment, &apply.spec.name).await?;
        let change = change(existing.as_ref(), &apply, &id)?;
        let now = clock::now();
        let mut job = existing
            .clone()
            .unwrap_or_else(|| new_job(principal, &apply.spec, &environment, id.clone()));
        let never_ran = JobState::of(&job.desired, &job.status) == JobState::New;
        let starts = apply.start && (change != Change::Unchanged || never_ran);
        if change == Change::Unchanged && !starts {
            return Ok(Applied { job: self.view(job).await?, operation: None, change });
        }
        job.spec = apply.spec.clone();
        job.release = id.clone();
        job.updated_at = now;
        let release = Release {
            id,
            job: job.id,
            number: 0,
            content,
            created_at: now,
            created_by: principal.name.clone(),
        };
        let run = starts.then(|| new_run(&job));
        let operation = starts.then(|| new_operation(principal, &job, "apply"));
        if let (Some(run), Some(operation)) = (&run, &operation) {
            job.desired =
                Desired { intent: Intent::Run { run: run.id }, operation: Some(operation.id) };
        }
        let new = NewJob {
            job: &job,
            release: Some(&release),
            run: run.as_ref(),
            operation: operation.as_ref(),
            key: apply.key.as_ref().map(|(key, request)| (key.as_str(), request.as_str())),
        };
        if existing.is_some() {
            self.store().update_job(&new).await?;
        } else {
            self.store().create_job(&new).await?;
            self.tracker().register(super::key(&job), job.id);
        }
        self.wakes().wake(job.id);
        let job = self.job(principal, &apply.spec.environment, &apply.spec.name).await?;
        Ok(Applied { job, operation: operation.map(|operation| operation.id), change })
    }

    /// The environment of the job file, after everything that can be said without the cluster.
    async fn checked(&self, spec: &JobSpec) -> Result<Environment, Error> {
        if spec.mode == Mode::Session {
            let message =
                "jobs in a session are not supported yet; use mode: application".to_owned();
            return Err(Error::Invalid { message });
        }
        if spec.kind != JobKind::Jar {
            let message = "only kind: jar is supported yet".to_owned();
            return Err(Error::Invalid { message });
        }
        let Some(environment) = self.store().environment(&spec.environment).await? else {
            return Err(Error::NotFound {
                what: format!("environment {}", spec.environment),
                hint: "; see `flumen environment list`".to_owned(),
            });
        };
        let versions = self.store().versions().await?;
        if !versions
            .iter()
            .any(|row| row.version == spec.flink_version && row.environment == spec.environment)
        {
            return Err(Error::NotFound {
                what: format!(
                    "Flink version {} in environment {}",
                    spec.flink_version, spec.environment
                ),
                hint: format!("; add it with `flumen version add {}`", spec.flink_version),
            });
        }
        Ok(environment)
    }

    async fn release_artifacts(&self, apply: &ApplyJob) -> Result<Vec<ReleaseArtifact>, Error> {
        if apply.artifacts.is_empty() && !release::is_in_image(&apply.spec.artifact) {
            let message =
                format!("the artifact {} of the job was not uploaded", apply.spec.artifact);
            return Err(Error::Invalid { message });
        }
        let mut artifacts = Vec::with_capacity(apply.artifacts.len());
        for UploadedArtifact { name, digest, role } in &apply.artifacts {
            let Some(size) = self.artifact(digest).await? else {
                return Err(Error::not_found(format!("the uploaded artifact {digest} ({name})")));
            };
            if name.is_empty() || name.contains('/') || name.starts_with('.') {
                let message = format!("{name:?} cannot be the file name of an artifact");
                return Err(Error::Invalid { message });
            }
            crate::artifacts::check_jar(&self.artifact_path(digest), name).await?;
            artifacts.push(ReleaseArtifact {
                name: name.clone(),
                digest: digest.clone(),
                size,
                role: *role,
            });
        }
        Ok(artifacts)
    }
}

fn change(
    existing: Option<&Job>,
    apply: &ApplyJob,
    id: &flumen_model::ReleaseId,
) -> Result<Change, Error> {
    let Some(job) = existing else { return Ok(Change::Created) };
    if let Some(version) = apply.if_match.filter(|version| *version != job.version) {
        return Err(
            flumen_store::Error::Stale { what: format!("job {}", job.name), version }.into()
        );
    }
    if job.desired.intent == Intent::Delete {
        let message =
            format!("job {} is being deleted; apply its file again when it is gone", job.name);
        return Err(Error::Conflict { message });
    }
    if job.release == *id && job.spec == apply.spec {
        return Ok(Change::Unchanged);
    }
    let state = JobState::of(&job.desired, &job.status);
    if !state.is_at_rest() {
        let message = format!(
            "job {} is {state} and its file changes it, which needs a restart; cancel it first with `flumen job cancel {} --wait`",
            job.name, job.name
        );
        return Err(Error::Conflict { message });
    }
    Ok(Change::Configured)
}

fn new_job(
    principal: &Principal,
    spec: &JobSpec,
    environment: &Environment,
    release: flumen_model::ReleaseId,
) -> Job {
    let now = clock::now();
    Job {
        id: identity::job(),
        team: principal.team,
        environment: spec.environment.clone(),
        name: spec.name.clone(),
        cluster: environment.document.cluster.clone(),
        namespace: environment.document.namespace.clone(),
        cluster_id: ClusterId::for_job(&spec.name),
        spec: spec.clone(),
        release,
        desired: Desired::rest(),
        status: Status::new(),
        version: 1,
        status_version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// A run of the job's newest release.
pub(super) fn new_run(job: &Job) -> Run {
    Run {
        id: identity::run(),
        job: job.id,
        number: 0,
        release: job.release.clone(),
        environment: job.environment.clone(),
        image: None,
        objects: None,
        outcome: None,
        reason: None,
        exceptions: None,
        created_at: clock::now(),
        running_at: None,
        ended_at: None,
    }
}
