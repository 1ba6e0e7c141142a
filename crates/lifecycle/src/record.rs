use jiff::Timestamp;

use crate::{
    Action, ActionFailure, EndStep, Finding, Outcome, Restore, Savepoint, SavepointStep, StartStep,
    State, Status,
};

/// The status after an action was carried out or failed. A transient failure leaves the step where it
/// is, with the reason, so that the next decision emits the same action again.
pub fn record(
    status: &Status,
    action: Action,
    result: Result<&Finding, &ActionFailure>,
    now: Timestamp,
) -> Status {
    if action.run().is_some() && action.run() != status.run {
        return status.clone();
    }
    match (result, action) {
        (
            _,
            Action::TriggerSavepoint { operation, .. } | Action::FindSavepoint { operation, .. },
        ) => savepoint(status, (action, operation), result, now),
        (Ok(finding), _) => succeeded(status, action, finding, now),
        (Err(failure), _) => failed(status, action, failure, now),
    }
}

fn savepoint(
    status: &Status,
    (action, operation): (Action, flumen_model::OperationId),
    result: Result<&Finding, &ActionFailure>,
    now: Timestamp,
) -> Status {
    let Some(known) = status.savepoint.clone().filter(|known| known.operation == operation) else {
        return status.clone();
    };
    let step = match (&known.step, result) {
        (SavepointStep::Trigger, Ok(Finding::Trigger(trigger))) => {
            SavepointStep::Await { trigger: trigger.clone(), since: now }
        }
        (SavepointStep::Search, Ok(Finding::Savepoint(Some(path)))) => {
            SavepointStep::Completed { path: path.clone() }
        }
        (SavepointStep::Search, Ok(Finding::Savepoint(None))) => SavepointStep::Absent,
        // One that does not have the job may have taken an order before whose answer was lost: that is
        // seen, and looked for.
        (SavepointStep::Trigger | SavepointStep::Search, Err(failure))
            if !failure.may_pass(action) =>
        {
            SavepointStep::Failed { reason: failure.message.clone() }
        }
        (step, _) => step.clone(),
    };
    let mut next = Status { savepoint: Some(Savepoint { step, ..known }), ..status.clone() };
    let stopped = next.savepoint.as_ref().is_some_and(|known| known.stopped(&next));
    if let State::Ending { outcome: outcome @ (Outcome::Finished | Outcome::Unknown), .. } =
        &mut next.state
        && stopped
    {
        *outcome = Outcome::Stopped;
        next.reason = None;
        next.intervened = false;
    }
    next
}

fn succeeded(status: &Status, action: Action, finding: &Finding, now: Timestamp) -> Status {
    use StartStep as Start;

    let mut next = status.clone();
    match (&status.state, action) {
        (State::Starting { step, since }, _) => {
            let step = match (step, action) {
                (Start::Snapshot, Action::LocateSnapshot { .. }) => Start::Image,
                (Start::Image, Action::BuildImage { .. }) => Start::Render,
                (Start::Render, Action::RenderObjects { .. }) => Start::Leftovers,
                (Start::Leftovers, Action::RemoveLeftovers { .. }) => Start::Create,
                (Start::Create, Action::CreateObjects { .. }) => Start::JobManager,
                _ => return next,
            };
            if let Finding::Restore(path) = finding {
                next.restore = path.clone().map(|path| Restore { path, confirmed: false });
                next.checkpointed |= path.is_some();
            }
            // The wait for the JobManager is counted from its creation: what is older is another's.
            let since = if step == Start::JobManager { now } else { *since };
            next.state = State::Starting { step, since };
            next.reason = None;
        }
        (State::Ending { outcome, step, .. }, _) => {
            let step = match (step, action) {
                (EndStep::Save, Action::SaveOutcome { .. }) => EndStep::Delete,
                (EndStep::Delete, Action::DeleteDeployment { .. }) => EndStep::Pods,
                (EndStep::HighAvailability, Action::DeleteHighAvailabilityData { .. }) => {
                    next.state = State::Ended { outcome: *outcome, at: now };
                    return next;
                }
                _ => return next,
            };
            let outcome = match (outcome, finding) {
                (Outcome::Unknown, Finding::Outcome(told)) => {
                    next.reason = None;
                    next.intervened = false;
                    let stopped = next.savepoint.as_ref().is_some_and(|known| known.stopped(&next));
                    if *told == Outcome::Finished && stopped { Outcome::Stopped } else { *told }
                }
                (outcome, _) => *outcome,
            };
            next.state = State::Ending { outcome, step, since: now };
        }
        (State::New | State::Live { .. } | State::Ended { .. } | State::Deleted, _) => {}
    }
    if let Finding::Reason(reason) = finding {
        next.reason = Some(reason.clone());
    }
    next
}

fn failed(status: &Status, action: Action, failure: &ActionFailure, now: Timestamp) -> Status {
    let mut next = status.clone();
    let hopeless = !failure.may_pass(action);
    match (&status.state, action) {
        (State::Starting { step, .. }, _) => {
            next.reason = Some(failure.message.clone());
            if hopeless {
                next.giving_up = Some(failure.message.clone());
                // Before the creation nothing in the cluster is the run's, and what there is stays.
                next.state = match step {
                    StartStep::Create | StartStep::JobManager => State::Ending {
                        outcome: Outcome::Failed,
                        step: EndStep::Delete,
                        since: now,
                    },
                    StartStep::Snapshot
                    | StartStep::Image
                    | StartStep::Render
                    | StartStep::Leftovers => State::Ended { outcome: Outcome::Failed, at: now },
                };
            }
        }
        // Logs that cannot be had are no reason to keep the cluster.
        (State::Ending { outcome, step: EndStep::Save, .. }, _) if hopeless => {
            next.state = State::Ending { outcome: *outcome, step: EndStep::Delete, since: now };
        }
        (
            State::New
            | State::Live { .. }
            | State::Ending { .. }
            | State::Ended { .. }
            | State::Deleted,
            _,
        ) => {}
    }
    next
}
