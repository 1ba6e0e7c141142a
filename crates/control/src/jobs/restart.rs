use std::ops::ControlFlow;

use flumen_lifecycle::{Desired, Handover, Intent, JobState, State};
use flumen_model::{EnvironmentName, JobName, OperationId, StartFrom, UpgradeMode};
use flumen_store::{Job, NewJob, Operation, OperationKind, Principal, Run, RunStart};

use super::{
    SavepointOrder, StartOrder, Terms, new_operation, new_run,
    start::wanted,
    stop::{check_order, check_savepoint_possible, wish},
    wish::{again_if_stale, only},
};
use crate::{Control, Error, clock};

/// How a job is to be started anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestartOrder {
    /// What becomes of its state. Default: as the job file says; where the order names something to start
    /// from, no savepoint is taken before.
    pub mode: Option<UpgradeMode>,
    /// From what, and how.
    pub start: StartOrder,
    /// How the savepoint before it is taken.
    pub savepoint: SavepointOrder,
}

impl Control {
    /// Ends the run of a job, by default with a savepoint, and starts its newest release, by default from
    /// there. A job that does not run is started.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is being ended; otherwise as [`Control::start_job`] and [`Control::stop_job`].
    pub async fn restart_job(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        order: RestartOrder,
        terms: Terms,
    ) -> Result<OperationId, Error> {
        let place = (environment, name);
        again_if_stale(|| self.try_restart(principal, place, order.clone(), &terms)).await
    }

    async fn try_restart(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        order: RestartOrder,
        terms: &Terms,
    ) -> Result<OperationId, Error> {
        let mut job = match self.to_change(principal, (environment, name), terms).await? {
            ControlFlow::Continue(job) => job,
            ControlFlow::Break(operation) => return Ok(operation),
        };
        let operation =
            new_operation((principal.team, &principal.name), &job, OperationKind::Restart);
        let run = self.replace_run(principal, &mut job, order, &operation).await?;
        let new = NewJob { run: Some(&run), ..only(&job, &operation, terms.key.as_ref()) };
        self.write_down(&new).await?;
        Ok(operation.id)
    }

    /// Writes into the job that another run takes the place of the one that is there, if one is.
    pub(super) async fn replace_run(
        &self,
        principal: &Principal,
        job: &mut Job,
        order: RestartOrder,
        operation: &Operation,
    ) -> Result<Run, Error> {
        let mode = order.mode.unwrap_or(if order.start.from.is_some() {
            UpgradeMode::LastState
        } else {
            job.spec.upgrade_mode
        });
        let state = JobState::of(&job.desired, &job.status);
        if matches!(
            state,
            JobState::Ending | JobState::Canceling | JobState::Deleting | JobState::Stopping
        ) {
            let message = format!("job {} is {state}; restart it when that is over", job.name);
            return Err(Error::Conflict { message });
        }
        check_order(job, &order.savepoint)?;
        let named = order.start.from.is_some();
        let mut start = self.run_start(principal, job, order.start).await?;
        if mode == UpgradeMode::Stateless && !named {
            start = RunStart { from: StartFrom::Nothing, ..start };
        }
        let live = matches!(job.status.state, State::Live { .. });
        let handover = if mode == UpgradeMode::Stateful && live {
            check_savepoint_possible(job)?;
            Handover::Savepoint
        } else {
            Handover::Cancel
        };
        let run = new_run(job, start);
        let savepoint = (handover == Handover::Savepoint)
            .then(|| wish(job, operation.id, order.savepoint, true));
        let intent = Intent::Run { run: run.id, handover };
        job.desired = Desired { savepoint, ..wanted(job, intent, operation.id) };
        job.updated_at = clock::now();
        Ok(run)
    }
}
