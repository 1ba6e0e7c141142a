use jiff::Timestamp;

use crate::{Action, ActionFailure, EndStep, Outcome, StartStep, State, Status};

/// The status after an action was carried out or failed. A transient failure leaves the step where it
/// is, with the reason, so that the next decision emits the same action again.
pub fn record(
    status: &Status,
    action: Action,
    result: Result<(), &ActionFailure>,
    now: Timestamp,
) -> Status {
    if action.run().is_some() && action.run() != status.run {
        return status.clone();
    }
    match result {
        Ok(()) => succeeded(status, action, now),
        Err(failure) => failed(status, action, failure, now),
    }
}

fn succeeded(status: &Status, action: Action, now: Timestamp) -> Status {
    use StartStep as Start;

    let mut next = status.clone();
    match (&status.state, action) {
        (State::Starting { step, since }, _) => {
            let step = match (step, action) {
                (Start::Image, Action::BuildImage { .. }) => Start::Render,
                (Start::Render, Action::RenderObjects { .. }) => Start::Leftovers,
                (Start::Leftovers, Action::RemoveLeftovers { .. }) => Start::Create,
                (Start::Create, Action::CreateObjects { .. }) => Start::JobManager,
                _ => return next,
            };
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
                    next.state = State::Ended { outcome: outcome.clone(), at: now };
                    return next;
                }
                _ => return next,
            };
            next.state = State::Ending { outcome: outcome.clone(), step, since: now };
        }
        (State::New | State::Live { .. } | State::Ended { .. } | State::Deleted, _) => {}
    }
    next
}

fn failed(status: &Status, action: Action, failure: &ActionFailure, now: Timestamp) -> Status {
    let mut next = status.clone();
    let hopeless = !failure.kind.is_transient();
    match (&status.state, action) {
        (State::Starting { .. }, _) => {
            next.reason = Some(failure.message.clone());
            if hopeless {
                next.state =
                    State::Ending { outcome: Outcome::Failed, step: EndStep::Delete, since: now };
            }
        }
        // Logs that cannot be had are no reason to keep the cluster.
        (State::Ending { outcome, step: EndStep::Save, .. }, _) if hopeless => {
            next.state =
                State::Ending { outcome: outcome.clone(), step: EndStep::Delete, since: now };
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
