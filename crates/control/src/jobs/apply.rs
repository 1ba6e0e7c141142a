use std::ops::ControlFlow;

use flumen_lifecycle::{
    Desired, Difference, Effect, Handover, Intent, JobState, Status, preparation,
};
use flumen_model::{
    ClusterId, FlinkMinor, JobKind, JobSpec, Mode, OperationId, ReleaseId, UpgradeMode,
};
use flumen_store::{
    ApplyOutcome, Change, Environment, Job, MadeRelease, NewJob, Operation, OperationKind,
    PreparationEnd, Principal, Release, ReleaseArtifact, Run, ScriptNeeds,
};
use serde::{Deserialize, Serialize};

use super::{
    Diff, RestartOrder, StartOrder, Terms, UploadedArtifact, new_operation, new_run,
    python::check_python, start::wanted, uploaded::distinct, wish::again_if_stale,
};
use crate::{
    Control, Error, JobView, actions::render_objects, by_url::check_urls, clock, identity, release,
};

/// The first minor on which the SQL runner runs.
const SQL_SINCE: FlinkMinor = FlinkMinor::new(1, 13);

/// A job file and its uploaded artifacts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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

/// The answer to a job file.
#[derive(Debug, Clone)]
pub enum Applying {
    /// It is applied.
    Done(Box<Applied>),
    /// This operation prepares its release, and then applies it.
    Preparing(OperationId),
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

/// What a job is made from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prepared {
    /// The artifacts of its release.
    pub(crate) artifacts: Vec<ReleaseArtifact>,
    /// What its script needs of the pods.
    pub(crate) script: ScriptNeeds,
    /// What is doubtful about it.
    pub(crate) warnings: Vec<String>,
    /// The operation that prepared it, where that took one.
    pub(crate) operation: Option<OperationId>,
}

/// What a job file comes to as things are now; nothing of it is written down.
struct Draft {
    job: Job,
    is_new: bool,
    change: Change,
    release: Release,
    next: Option<(Run, Operation)>,
}

impl Draft {
    fn is_nothing(&self) -> bool {
        self.change == Change::Unchanged && self.next.is_none()
    }
}

impl Control {
    /// Creates or changes a job from its file. A new job is started, and so is a changed one that does not
    /// run; a changed one that runs is replaced by its `upgradeMode`, unless the change is about what Flumen
    /// does with the job. An unchanged job is left as it is. A release that cannot be made at once is prepared first,
    /// after all that can be said now.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what cannot be, [`Error::NotFound`] for an unknown environment, Flink version or
    /// artifact, [`Error::Conflict`] if the job is being ended, or the change puts its state at risk.
    pub async fn apply_job(
        &self,
        principal: &Principal,
        apply: ApplyJob,
    ) -> Result<Applying, Error> {
        again_if_stale(|| self.try_apply(principal, &apply)).await
    }

    async fn try_apply(&self, principal: &Principal, apply: &ApplyJob) -> Result<Applying, Error> {
        let existing = match self.existing(principal, apply).await? {
            ControlFlow::Continue(existing) => existing,
            ControlFlow::Break(operation) => {
                if self.operation(principal, operation).await?.job.is_none() {
                    return Ok(Applying::Preparing(operation));
                }
                return self.applied_before(principal, apply, operation).await.map(Applying::done);
            }
        };
        let artifacts = self.uploaded_artifacts(apply).await?;
        let mut prepared = Prepared { artifacts, ..Prepared::default() };
        let draft = self.draft(principal, apply, &prepared, existing).await?;
        if !draft.is_nothing() {
            if !preparation(&apply.spec).is_empty() {
                return self.begin_preparation(principal, apply).await.map(Applying::Preparing);
            }
            // It goes far, and is seldom waited for.
            prepared.warnings = Box::pin(self.check_artifacts(&apply.spec, &prepared)).await?;
        }
        self.write_draft(principal, apply, draft, prepared).await.map(Applying::done)
    }

    /// As [`Control::apply_job`], of what was prepared before.
    pub(crate) async fn apply_prepared(
        &self,
        principal: &Principal,
        apply: &ApplyJob,
        prepared: &Prepared,
    ) -> Result<Applied, Error> {
        again_if_stale(|| self.try_apply_prepared(principal, apply, prepared)).await
    }

    async fn try_apply_prepared(
        &self,
        principal: &Principal,
        apply: &ApplyJob,
        prepared: &Prepared,
    ) -> Result<Applied, Error> {
        let existing = match self.existing(principal, apply).await? {
            ControlFlow::Continue(existing) => existing,
            ControlFlow::Break(operation) => {
                return self.applied_before(principal, apply, operation).await;
            }
        };
        let draft = self.draft(principal, apply, prepared, existing).await?;
        self.write_draft(principal, apply, draft, prepared.clone()).await
    }

    /// The answer to a request that was made before.
    async fn applied_before(
        &self,
        principal: &Principal,
        apply: &ApplyJob,
        operation: OperationId,
    ) -> Result<Applied, Error> {
        let job = self.job(principal, &apply.spec.environment, &apply.spec.name).await?;
        let outcome = self.operation(principal, operation).await?.outcome;
        let ApplyOutcome { change, warnings } =
            outcome.unwrap_or(ApplyOutcome { change: Change::Unchanged, warnings: Vec::new() });
        Ok(Applied { job, operation: Some(operation), change, warnings })
    }

    async fn draft(
        &self,
        principal: &Principal,
        apply: &ApplyJob,
        prepared: &Prepared,
        existing: Option<Box<Job>>,
    ) -> Result<Draft, Error> {
        let environment = self.checked(&apply.spec).await?;
        let artifacts = distinct(&prepared.artifacts)?;
        let content = release::content(&apply.spec, artifacts, prepared.script.clone());
        render_objects::check_renders(&apply.spec, &environment, &content)?;
        let id = release::id(&content);
        let change = self.change(existing.as_deref(), apply).await?;
        let is_new = existing.is_none();
        let mut job = existing.map_or_else(
            || new_job(principal, &apply.spec, &environment, id.clone()),
            |existing| *existing,
        );
        let release = Release {
            id: id.clone(),
            job: job.id,
            number: 0,
            content,
            created_at: clock::now(),
            created_by: principal.name.clone(),
        };
        let state = JobState::of(&job.desired, &job.status);
        let starts = apply.start
            && (state == JobState::New
                || change == Change::Restart
                || (state.is_at_rest() && change != Change::Unchanged));
        if change == Change::Unchanged && !starts {
            return Ok(Draft { job, is_new, change, release, next: None });
        }
        job.spec = apply.spec.clone();
        job.release = id;
        job.updated_at = clock::now();
        job.desired.restart = job.spec.restart_policy;
        job.desired.interventions = job.spec.interventions;
        let next = if starts {
            let by = (principal.team, principal.name.as_str());
            let mut operation = new_operation(by, &job, OperationKind::Apply);
            operation.id = prepared.operation.unwrap_or(operation.id);
            let run = self.start_applied(principal, &mut job, &operation).await?;
            Some((run, operation))
        } else {
            None
        };
        Ok(Draft { job, is_new, change, release, next })
    }

    async fn write_draft(
        &self,
        principal: &Principal,
        apply: &ApplyJob,
        draft: Draft,
        prepared: Prepared,
    ) -> Result<Applied, Error> {
        let change = draft.change;
        let outcome = ApplyOutcome { change, warnings: prepared.warnings };
        if draft.is_nothing() {
            match prepared.operation {
                Some(operation) => {
                    let end = PreparationEnd::Unchanged(&outcome);
                    self.store().end_preparation(operation, end, clock::now()).await?;
                }
                None => self.supersede_preparation(principal, &apply.spec).await?,
            }
            let job = self.view(draft.job).await?;
            return Ok(Applied { job, operation: None, change, warnings: outcome.warnings });
        }
        let Draft { job, is_new, release, next, .. } = draft;
        let made = |operation| MadeRelease { operation, outcome: &outcome };
        let new = NewJob {
            job: &job,
            release: Some(&release),
            run: next.as_ref().map(|(run, _)| run),
            operation: next.as_ref().map(|(_, operation)| operation),
            key: apply.terms.key.as_ref().map(|(key, request)| (key.as_str(), request.as_str())),
            preparation: prepared.operation.map(made),
            ends_preparation: true,
        };
        if is_new {
            self.write_down_new(&new).await?;
        } else {
            self.write_down(&new).await?;
        }
        let job = self.job(principal, &apply.spec.environment, &apply.spec.name).await?;
        let operation = next.map(|(_, operation)| operation.id);
        Ok(Applied { job, operation, change, warnings: outcome.warnings })
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
        operation: &Operation,
    ) -> Result<Run, Error> {
        let base = self.version_row(job.spec.flink_version, &job.environment).await?.image;
        if !JobState::of(&job.desired, &job.status).is_at_rest() {
            let order = RestartOrder::default();
            let run = self.replace_run(principal, job, order, operation).await?;
            return Ok(Run { base: Some(base), ..run });
        }
        let start = self.run_start(principal, job, StartOrder::default()).await?;
        let run = Run { base: Some(base), ..new_run(job, start) };
        let intent = Intent::Run { run: run.id, handover: Handover::Cancel };
        job.desired = wanted(job, intent, operation.id);
        Ok(run)
    }

    /// The environment of the job file, after everything that can be said without the cluster.
    pub(super) async fn checked(&self, spec: &JobSpec) -> Result<Environment, Error> {
        if spec.mode == Mode::Session {
            let message =
                "jobs in a session are not supported yet; use mode: application".to_owned();
            return Err(Error::Invalid { message });
        }
        let minor = spec.flink_version.minor();
        if spec.kind == JobKind::Sql && minor < SQL_SINCE {
            let message =
                format!("SQL jobs need Flink {SQL_SINCE} or later, and this is for {minor}");
            return Err(Error::Invalid { message });
        }
        check_urls(spec)?;
        let environment = self.environment(&spec.environment).await?;
        let version = self.version_row(spec.flink_version, &spec.environment).await?;
        check_python(spec, &version)?;
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
}

impl Applying {
    fn done(applied: Applied) -> Self {
        Self::Done(Box::new(applied))
    }
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
    release: ReleaseId,
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
