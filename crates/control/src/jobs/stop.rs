use std::ops::ControlFlow;

use flumen_lifecycle::{Desired, Intent, JobState, SavepointWish, State, settle};
use flumen_model::{EnvironmentName, JobName, OperationId, SavepointFormat};
use flumen_store::{Job, OperationKind, Principal};

use super::{
    Terms, new_operation,
    start::wanted,
    wish::{again_if_stale, only},
};
use crate::{Control, Error, clock};

/// How a savepoint is to be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavepointOrder {
    /// Under which directory. Default: the job's own.
    pub directory: Option<String>,
    /// How it is written. Default: see [`SavepointFormat::standard`].
    pub format: Option<SavepointFormat>,
    /// Whether the sources end as if their input were over; of a stop only. Default: no.
    pub drain: bool,
}

impl Control {
    /// Stops a job with a savepoint.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it does not run or is being ended already, [`Error::NotFound`] if there is no such
    /// job, [`Error::Invalid`] for an order that its Flink version cannot carry out.
    pub async fn stop_job(
        &self,
        principal: &Principal,
        place: (&EnvironmentName, &JobName),
        order: SavepointOrder,
        terms: Terms,
    ) -> Result<OperationId, Error> {
        let desired = |job: &Job, operation: OperationId| {
            let savepoint = Some(wish(job, operation, order.clone(), true));
            Desired { savepoint, ..wanted(job, Intent::Stop, operation) }
        };
        again_if_stale(|| {
            self.with_savepoint(principal, place, (&order, OperationKind::Stop), &terms, desired)
        })
        .await
    }

    /// Takes a savepoint of a job that goes on.
    ///
    /// # Errors
    /// As [`Control::stop_job`].
    pub async fn savepoint_job(
        &self,
        principal: &Principal,
        place: (&EnvironmentName, &JobName),
        order: SavepointOrder,
        terms: Terms,
    ) -> Result<OperationId, Error> {
        let desired = |job: &Job, operation: OperationId| {
            let savepoint = Some(wish(job, operation, order.clone(), false));
            // A stop whose savepoint failed may not be taken back yet; the job goes on all the same.
            let goes_on = settle(&job.desired, &job.status);
            let wanted = goes_on.unwrap_or_else(|| job.desired.clone());
            Desired { operation: Some(operation), savepoint, ..wanted }
        };
        let kind = OperationKind::Savepoint;
        again_if_stale(|| self.with_savepoint(principal, place, (&order, kind), &terms, desired))
            .await
    }

    async fn with_savepoint(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        (order, kind): (&SavepointOrder, OperationKind),
        terms: &Terms,
        desired: impl Fn(&Job, OperationId) -> Desired,
    ) -> Result<OperationId, Error> {
        let mut job = match self.to_change(principal, (environment, name), terms).await? {
            ControlFlow::Continue(job) => job,
            ControlFlow::Break(operation) => return Ok(operation),
        };
        check_order(&job, order)?;
        check_savepoint_possible(&job)?;
        let operation = new_operation((principal.team, &principal.name), &job, kind);
        job.desired = desired(&job, operation.id);
        job.updated_at = clock::now();
        self.write_down(&only(&job, &operation, terms.key.as_ref())).await?;
        Ok(operation.id)
    }
}

/// The savepoint that the operation wants.
pub(super) fn wish(
    job: &Job,
    operation: OperationId,
    order: SavepointOrder,
    stops: bool,
) -> SavepointWish {
    let standard = SavepointFormat::standard(job.spec.flink_version.minor());
    SavepointWish {
        operation,
        stops,
        directory: order.directory,
        format: order.format.unwrap_or(standard),
        drain: order.drain,
    }
}

/// Refuses what the Flink version of the job does not have, before anything is written down.
pub(super) fn check_order(job: &Job, order: &SavepointOrder) -> Result<(), Error> {
    const FORMATS_SINCE: flumen_model::FlinkMinor = flumen_model::FlinkMinor::new(1, 15);
    let version = job.spec.flink_version;
    if order.format == Some(SavepointFormat::Native) && version.minor() < FORMATS_SINCE {
        let message = format!(
            "Flink {version} writes savepoints in the canonical format only; native ones are there since {FORMATS_SINCE}"
        );
        return Err(Error::Invalid { message });
    }
    if order.directory.as_ref().is_some_and(|path| path.trim().is_empty()) {
        let message =
            "the directory of the savepoint is empty; leave it out for the job's own".to_owned();
        return Err(Error::Invalid { message });
    }
    Ok(())
}

/// Refuses a savepoint of a job that cannot take one now.
pub(super) fn check_savepoint_possible(job: &Job) -> Result<(), Error> {
    let state = JobState::of(&job.desired, &job.status);
    let underway = job
        .status
        .savepoint
        .as_ref()
        .is_some_and(|known| known.is_underway() && Some(known.run) == job.status.run)
        // Asked for, and not begun with.
        || job.desired.savepoint.as_ref().is_some_and(|wish| {
            job.desired.operation == Some(wish.operation)
                && job.status.savepoint.as_ref().is_none_or(|known| known.operation != wish.operation)
        });
    let live = matches!(job.status.state, State::Live { .. });
    let ending = matches!(state, JobState::Canceling | JobState::Deleting | JobState::Stopping);
    let message = if !live || ending {
        format!("job {} is {state}, and a savepoint can only be taken of a job that runs", job.name)
    } else if underway {
        format!(
            "a savepoint of job {} is being taken already; see `flumen operation list --job {}`",
            job.name, job.name
        )
    } else {
        return Ok(());
    };
    Err(Error::Conflict { message })
}
