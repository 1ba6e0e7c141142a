//! The steps of operations: what was done, and what is waited for.

use flumen_lifecycle::{
    Action, ActionFailure, EndStep, FlinkState, SavepointStep, StartStep, State, Status,
};
use flumen_model::OperationId;
use flumen_store::Job;

use crate::{Control, Error, actions, clock};

/// Steps that end by themselves rather than by an action.
const AWAIT_JOB_MANAGER: &str = "await-job-manager";
const AWAIT_RUNNING: &str = "await-running";
const AWAIT_PODS_GONE: &str = "await-pods-gone";
const AWAIT_SAVEPOINT: &str = "await-savepoint";

/// A step of an operation that waits for something.
pub(super) type Wait = (OperationId, &'static str);

/// Ends the wait that was written down last, and writes down the one that the job is in.
pub(super) async fn note_wait(
    control: &Control,
    job: &Job,
    before: Option<Wait>,
) -> Result<Option<Wait>, Error> {
    let now = clock::now();
    let wait = job.desired.operation.zip(waits_for(&job.status));
    if wait == before {
        return Ok(wait);
    }
    if let Some((operation, step)) = before {
        control.store().finish_step(operation, step, None, now).await?;
    }
    if let Some((operation, step)) = wait {
        control.store().begin_step(operation, step, now).await?;
    }
    Ok(wait)
}

/// Writes down what came of an action.
pub(super) async fn note_result(
    control: &Control,
    operation: OperationId,
    action: Action,
    result: &Result<actions::Done, ActionFailure>,
    given_up: bool,
) -> Result<(), Error> {
    let store = control.store();
    let (detail, failure) = match result {
        Ok(done) => (done.detail.as_deref(), None),
        Err(failure) => (None, Some(failure.message.as_str())),
    };
    store.note_step(operation, action.name(), detail, failure).await?;
    if failure.is_none() || given_up {
        store.finish_step(operation, action.name(), failure, clock::now()).await?;
    }
    Ok(())
}

fn waits_for(status: &Status) -> Option<&'static str> {
    let taken = status.savepoint.as_ref().map(|known| &known.step);
    match &status.state {
        State::Live { .. } if matches!(taken, Some(SavepointStep::Await { .. })) => {
            Some(AWAIT_SAVEPOINT)
        }
        State::Starting { step: StartStep::JobManager, .. } => Some(AWAIT_JOB_MANAGER),
        State::Live { flink: FlinkState::Initializing | FlinkState::Created, .. } => {
            Some(AWAIT_RUNNING)
        }
        State::Ending { step: EndStep::Pods, .. } => Some(AWAIT_PODS_GONE),
        State::New
        | State::Starting { .. }
        | State::Live { .. }
        | State::Ending { .. }
        | State::Ended { .. }
        | State::Deleted => None,
    }
}
