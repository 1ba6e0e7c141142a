use std::ops::ControlFlow;

use flumen_lifecycle::{Desired, Handover, Intent, JobState};
use flumen_model::{
    EnvironmentName, JobName, OperationId, RestoreMode, SnapshotId, StartFrom, UpgradeMode,
};
use flumen_store::{Job, NewJob, OperationKind, Principal, RunStart};

use super::{
    Terms, new_operation, new_run,
    wish::{again_if_stale, only},
};
use crate::{Control, Error, clock, snapshots};

/// From what a job is to be started, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartOrder {
    /// From what. Default: from the newest snapshot, with empty state where the job has none or its
    /// `upgradeMode` is stateless.
    pub from: Option<StartSource>,
    /// Whether state that no operator takes is dropped. Default: as the job file says.
    pub allow_non_restored_state: bool,
    /// What becomes of the snapshot. Default: Flink's.
    pub restore_mode: Option<RestoreMode>,
}

/// From what a job is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartSource {
    /// With empty state.
    Nothing,
    /// From its newest snapshot, which there must be.
    Latest,
    /// From a recorded snapshot.
    Snapshot(SnapshotId),
    /// From a savepoint or checkpoint that lies there.
    Path(String),
}

impl Control {
    /// Starts a job that does not run, with its newest release.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it runs, or has no snapshot where one is asked for; [`Error::NotFound`] if there is
    /// no such job or snapshot; [`Error::Invalid`] for a snapshot that cannot be started from.
    pub async fn start_job(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        order: StartOrder,
        terms: Terms,
    ) -> Result<OperationId, Error> {
        let place = (environment, name);
        again_if_stale(|| self.try_start(principal, place, order.clone(), &terms)).await
    }

    async fn try_start(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        order: StartOrder,
        terms: &Terms,
    ) -> Result<OperationId, Error> {
        let mut job = match self.to_change(principal, (environment, name), terms).await? {
            ControlFlow::Continue(job) => job,
            ControlFlow::Break(operation) => return Ok(operation),
        };
        let state = JobState::of(&job.desired, &job.status);
        if !state.is_at_rest() {
            let message = format!(
                "job {name} is {state}; it can be started when it has ended, or started anew with `flumen job restart {name}`"
            );
            return Err(Error::Conflict { message });
        }
        let start = self.run_start(principal, &job, order).await?;
        let run = new_run(&job, start);
        let operation =
            new_operation((principal.team, &principal.name), &job, OperationKind::Start);
        let intent = Intent::Run { run: run.id, handover: Handover::Cancel };
        job.desired = wanted(&job, intent, operation.id);
        job.updated_at = clock::now();
        let new = NewJob { run: Some(&run), ..only(&job, &operation, terms.key.as_ref()) };
        self.write_down(&new).await?;
        Ok(operation.id)
    }

    /// What a run of the job is to start from, after everything that can be said of it now.
    pub(super) async fn run_start(
        &self,
        principal: &Principal,
        job: &Job,
        order: StartOrder,
    ) -> Result<RunStart, Error> {
        let from = match order.from {
            None if job.spec.upgrade_mode == UpgradeMode::Stateless => StartFrom::Nothing,
            Some(StartSource::Nothing) => StartFrom::Nothing,
            None => StartFrom::Latest,
            Some(StartSource::Latest) => {
                if snapshots::latest(self, job).await?.is_none() {
                    let message = format!(
                        "job {} has no snapshot to start from; start it with empty state by `--from nothing`",
                        job.name
                    );
                    return Err(Error::Conflict { message });
                }
                StartFrom::Latest
            }
            Some(StartSource::Snapshot(id)) => {
                let path = self.snapshot(principal, id).await?.path;
                StartFrom::Path { path }
            }
            Some(StartSource::Path(path)) => StartFrom::Path { path },
        };
        if let StartFrom::Path { path } = &from {
            snapshots::check(self, &job.environment, path).await?;
        }
        Ok(RunStart {
            from,
            allow_non_restored_state: order.allow_non_restored_state
                || job.spec.allow_non_restored_state,
            restore_mode: order.restore_mode,
        })
    }
}

/// What is wanted of a job from now on, with the policies of its file.
pub(super) fn wanted(job: &Job, intent: Intent, operation: OperationId) -> Desired {
    Desired {
        restart: job.spec.restart_policy,
        interventions: job.spec.interventions,
        ..Desired::of(intent, Some(operation))
    }
}
