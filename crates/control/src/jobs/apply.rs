use std::{collections::BTreeMap, ops::ControlFlow};

use flumen_lifecycle::{Desired, Difference, Effect, Handover, Intent, JobState, Status};
use flumen_model::{
    ArtifactRole, ClusterId, Digest, FlinkMinor, JobKind, JobSpec, Mode, OperationId, UpgradeMode,
};
use flumen_store::{
    Environment, Job, NewJob, Operation, OperationKind, Principal, Release, ReleaseArtifact, Run,
};

use super::{
    Diff, RestartOrder, StartOrder, Terms, new_operation, new_run, start::wanted,
    wish::again_if_stale,
};
use crate::{Control, Error, JobView, actions::render_objects, clock, identity, release};

/// The first minor on which the SQL runner runs.
const SQL_SINCE: FlinkMinor = FlinkMinor::new(1, 13);

/// A job file and its uploaded artifacts.
#[derive(Debug, Clone)]
pub struct ApplyJob {
    /// The job file.
    pub spec: JobSpec,
    /// Its artifacts, uploaded before; the main one first.
    pub artifacts: Vec<UploadedArtifact>,
    /// Whether the job shall run, and a running one be replaced where its file takes that.
    pub start: bool,
    /// Whether a change is carried out that puts the state at risk. Default: no.
    pub force: bool,
    /// On what terms; a job that is not there yet has no version.
    pub terms: Terms,
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
    /// It was changed; nothing is restarted for that.
    Configured,
    /// It was changed, and the run is replaced, as its `upgradeMode` says.
    Restart,
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
    /// What is doubtful about it.
    pub warnings: Vec<String>,
}

impl Control {
    /// Creates or changes a job from its file. A new job is started, and so is a changed one that does not
    /// run; a changed one that runs is replaced by its `upgradeMode`, unless the change is about what Flumen
    /// does with the job. An unchanged job is left as it is.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what cannot be, [`Error::NotFound`] for an unknown environment, Flink version or
    /// artifact, [`Error::Conflict`] if the job is being ended, or the change puts its state at risk.
    pub async fn apply_job(
        &self,
        principal: &Principal,
        apply: ApplyJob,
    ) -> Result<Applied, Error> {
        again_if_stale(|| self.try_apply(principal, &apply, None)).await
    }

    /// As [`Control::apply_job`], of what was prepared before.
    pub(super) async fn apply_prepared(
        &self,
        principal: &Principal,
        apply: ApplyJob,
        prepared: Prepared,
    ) -> Result<Applied, Error> {
        again_if_stale(|| self.try_apply(principal, &apply, Some(&prepared))).await
    }

    async fn try_apply(
        &self,
        principal: &Principal,
        apply: &ApplyJob,
        prepared: Option<&Prepared>,
    ) -> Result<Applied, Error> {
        let existing = match self.existing(principal, apply).await? {
            ControlFlow::Continue(existing) => existing,
            ControlFlow::Break(operation) => {
                let job = self.job(principal, &apply.spec.environment, &apply.spec.name).await?;
                let (operation, change) = (Some(operation), Change::Unchanged);
                return Ok(Applied { job, operation, change, warnings: Vec::new() });
            }
        };
        let environment = self.checked(&apply.spec).await?;
        let Prepared { artifacts, warnings } = match prepared {
            Some(prepared) => prepared.clone(),
            None => self.prepared(apply).await?,
        };
        let content = release::content(&apply.spec, artifacts);
        render_objects::check_renders(&apply.spec, &environment, &content)?;
        let id = release::id(&content);
        let change = self.change(existing.as_deref(), apply).await?;
        let mut job = existing.clone().map_or_else(
            || new_job(principal, &apply.spec, &environment, id.clone()),
            |existing| *existing,
        );
        let never_ran = JobState::of(&job.desired, &job.status) == JobState::New;
        let rests = JobState::of(&job.desired, &job.status).is_at_rest();
        let starts = apply.start
            && (never_ran || change == Change::Restart || (rests && change != Change::Unchanged));
        if change == Change::Unchanged && !starts {
            let job = self.view(job).await?;
            return Ok(Applied { job, operation: None, change, warnings });
        }
        let now = clock::now();
        job.spec = apply.spec.clone();
        job.release = id.clone();
        job.updated_at = now;
        job.desired.restart = job.spec.restart_policy;
        job.desired.interventions = job.spec.interventions;
        let release = Release {
            id,
            job: job.id,
            number: 0,
            content,
            created_at: now,
            created_by: principal.name.clone(),
        };
        let next = if starts { Some(self.start_applied(principal, &mut job).await?) } else { None };
        let new = NewJob {
            job: &job,
            release: Some(&release),
            run: next.as_ref().map(|(run, _)| run),
            operation: next.as_ref().map(|(_, operation)| operation),
            key: apply.terms.key.as_ref().map(|(key, request)| (key.as_str(), request.as_str())),
        };
        if existing.is_some() {
            self.write_down(&new).await?;
        } else {
            self.write_down_new(&new).await?;
        }
        let job = self.job(principal, &apply.spec.environment, &apply.spec.name).await?;
        let operation = next.map(|(_, operation)| operation.id);
        Ok(Applied { job, operation, change, warnings })
    }

    /// The job that is there already; one that the caller has seen must be. Or else the operation that the same request
    /// began.
    async fn existing(
        &self,
        principal: &Principal,
        apply: &ApplyJob,
    ) -> Result<ControlFlow<OperationId, Option<Box<Job>>>, Error> {
        let place = (&apply.spec.environment, &apply.spec.name);
        match self.to_change(principal, place, &apply.terms).await {
            Ok(found) => Ok(found.map_continue(Some)),
            Err(Error::NotFound { .. }) if apply.terms.if_match.is_none() => {
                Ok(ControlFlow::Continue(None))
            }
            Err(error) => Err(error),
        }
    }

    /// The run of what was applied, in the place of the one that is there, if one is.
    async fn start_applied(
        &self,
        principal: &Principal,
        job: &mut Job,
    ) -> Result<(Run, Operation), Error> {
        let operation = new_operation((principal.team, &principal.name), job, OperationKind::Apply);
        if JobState::of(&job.desired, &job.status).is_at_rest() {
            let start = self.run_start(principal, job, StartOrder::default()).await?;
            let run = new_run(job, start);
            let intent = Intent::Run { run: run.id, handover: Handover::Cancel };
            job.desired = wanted(job, intent, operation.id);
            return Ok((run, operation));
        }
        let run = self.replace_run(principal, job, RestartOrder::default(), &operation).await?;
        Ok((run, operation))
    }

    /// The environment of the job file, after everything that can be said without the cluster.
    pub(super) async fn checked(&self, spec: &JobSpec) -> Result<Environment, Error> {
        if spec.mode == Mode::Session {
            let message =
                "jobs in a session are not supported yet; use mode: application".to_owned();
            return Err(Error::Invalid { message });
        }
        if spec.kind == JobKind::Python {
            let message = "kind: python is not supported yet".to_owned();
            return Err(Error::Invalid { message });
        }
        let minor = spec.flink_version.minor();
        if spec.kind == JobKind::Sql && minor < SQL_SINCE {
            let message =
                format!("SQL jobs need Flink {SQL_SINCE} or later, and this is for {minor}");
            return Err(Error::Invalid { message });
        }
        let environment = self.environment(&spec.environment).await?;
        self.version_row(spec.flink_version, &spec.environment).await?;
        Ok(environment)
    }

    async fn change(&self, existing: Option<&Job>, apply: &ApplyJob) -> Result<Change, Error> {
        let Some(job) = existing else { return Ok(Change::Created) };
        if job.desired.intent == Intent::Delete {
            let message =
                format!("job {} is being deleted; apply its file again when it is gone", job.name);
            return Err(Error::Conflict { message });
        }
        let diff = self.difference(job, &apply.spec, &apply.artifacts).await?;
        let runs = diff.runs;
        Ok(match diff.effect() {
            Effect::NoOp if job.spec == apply.spec => Change::Unchanged,
            Effect::NoOp | Effect::InPlace => Change::Configured,
            Effect::Restart | Effect::StateAtRisk => {
                if job.status.checkpointed {
                    check_risk(job, apply, &diff)?;
                }
                if runs && apply.start { Change::Restart } else { Change::Configured }
            }
        })
    }

    /// What the job is made from, with what Flumen adds.
    async fn prepared(&self, apply: &ApplyJob) -> Result<Prepared, Error> {
        let mut artifacts = self.release_artifacts(apply).await?;
        let (fetched, mut warnings) = self.maven_artifacts(&apply.spec).await?;
        artifacts.extend(fetched);
        if apply.spec.kind == JobKind::Sql {
            warnings.extend(self.prepare_sql(&apply.spec, &mut artifacts).await?);
        }
        Ok(Prepared { artifacts: distinct(artifacts)?, warnings })
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
            if name.is_empty()
                || name.contains('/')
                || name.starts_with('.')
                || release::is_generated(name)
            {
                let message = format!("{name:?} cannot be the file name of an artifact");
                return Err(Error::Invalid { message });
            }
            crate::artifacts::check_jar(&self.artifact_path(digest), name).await?;
            artifacts.push(ReleaseArtifact {
                name: name.clone(),
                digest: digest.clone(),
                size,
                role: *role,
                maven: None,
            });
        }
        Ok(artifacts)
    }
}

/// What a job is made from, complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Prepared {
    /// The artifacts of its release.
    pub(super) artifacts: Vec<ReleaseArtifact>,
    /// What is doubtful about it.
    pub(super) warnings: Vec<String>,
}

/// Leaves out what is there twice, and refuses two files that would lie in one place.
fn distinct(artifacts: Vec<ReleaseArtifact>) -> Result<Vec<ReleaseArtifact>, Error> {
    let mut seen = BTreeMap::new();
    let mut kept = Vec::with_capacity(artifacts.len());
    for artifact in artifacts {
        let path = release::path_in_image(&artifact);
        match seen.insert(path.clone(), artifact.digest.clone()) {
            None => kept.push(artifact),
            Some(other) if other == artifact.digest => {}
            Some(_) => {
                let message = format!(
                    "the job has two different files for {path} in its image; rename one or leave it out"
                );
                return Err(Error::Invalid { message });
            }
        }
    }
    Ok(kept)
}

/// Refuses what may lose the state of a job that has some, unless its file or the caller says so.
fn check_risk(job: &Job, apply: &ApplyJob, diff: &Diff) -> Result<(), Error> {
    let at_risk = |one: &&Difference| one.effect == Effect::StateAtRisk;
    let Some(risky) = diff.differences.iter().find(at_risk) else { return Ok(()) };
    // To start with empty state is what its file says.
    if apply.force || !apply.start || apply.spec.upgrade_mode == UpgradeMode::Stateless {
        return Ok(());
    }
    let message = format!(
        "the change of {} puts the state of job {} at risk: {}; look at it with `flumen diff`, and apply it all the same with --force",
        risky.field,
        job.name,
        risky.risk.as_deref().unwrap_or("it may not be restored")
    );
    Err(Error::Conflict { message })
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
