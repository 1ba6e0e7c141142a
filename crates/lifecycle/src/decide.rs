mod ending;
mod in_cluster;
mod savepoint;

use std::time::Duration;

use flumen_model::RunId;
use jiff::Timestamp;

use crate::{
    Action, ClusterContact, Desired, EndStep, Handover, Intent, Observed, Outcome, SavepointStep,
    StartStep, State, Status, restart,
};

/// What to do next with one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is known from now on; stored before the actions are carried out.
    pub status: Status,
    /// The effects to cause, in this order.
    pub actions: Vec<Action>,
    /// When to decide again even if nothing new is seen.
    pub wake_in: Option<Duration>,
}

impl Decision {
    fn stay(status: &Status) -> Self {
        Self { status: status.clone(), actions: Vec::new(), wake_in: None }
    }

    fn repeat(status: &Status, action: Action) -> Self {
        Self { actions: vec![action], ..Self::stay(status) }
    }

    fn go(status: &Status, state: State, actions: Vec<Action>) -> Self {
        Self { status: Status { state, ..status.clone() }, actions, wake_in: None }
    }
}

/// Compares what is wanted with what is known and seen.
pub fn decide(desired: &Desired, status: &Status, observed: &Observed, now: Timestamp) -> Decision {
    match &status.state {
        State::New | State::Ended { .. } => at_rest(desired, status, observed, now),
        State::Starting { step, since } => match step {
            StartStep::Snapshot
            | StartStep::Image
            | StartStep::Render
            | StartStep::Leftovers
            | StartStep::Create => preparing(desired, status, *step, now),
            StartStep::JobManager => in_cluster::in_cluster(desired, status, observed, *since, now),
        },
        State::Live { since, .. } => in_cluster::in_cluster(desired, status, observed, *since, now),
        State::Ending { outcome, step, since } => {
            ending::ending(status, observed, (*outcome, *step, *since), now)
        }
        State::Deleted => Decision::repeat(status, Action::Forget),
    }
}

fn at_rest(desired: &Desired, status: &Status, observed: &Observed, now: Timestamp) -> Decision {
    if let Some(decision) = stands_again(desired, status, observed, now) {
        return decision;
    }
    match desired.intent {
        Intent::Run { run, .. } if status.run != Some(run) => {
            let state = State::Starting { step: StartStep::Snapshot, since: now };
            // The savepoint stays known: it may be what the next run starts from.
            let savepoint = status.savepoint.clone();
            let status =
                Status { savepoint, started_at: Some(now), ..Status::of(state, Some(run)) };
            Decision::repeat(&status, Action::LocateSnapshot { run })
        }
        Intent::Run { run, .. } => match restart::next(desired, status) {
            Some(next) if next.at <= now => Decision::repeat(status, Action::StartAgain { run }),
            Some(next) => {
                let wake_in = Some(next.at.duration_since(now).unsigned_abs());
                Decision { wake_in, ..Decision::stay(status) }
            }
            None => Decision::stay(status),
        },
        Intent::Delete => Decision::go(status, State::Deleted, vec![Action::Forget]),
        Intent::Rest | Intent::Stop | Intent::Cancel => Decision::stay(status),
    }
}

/// The Deployment of a run that has ended stands: a request to create it was still on its way, of another
/// server or through a slow network. The run is cleared away once more; a next one does that itself.
fn stands_again(
    desired: &Desired,
    status: &Status,
    observed: &Observed,
    now: Timestamp,
) -> Option<Decision> {
    let State::Ended { outcome, .. } = status.state else { return None };
    let stands = observed
        .deployment
        .as_ref()
        .is_some_and(|seen| seen.run.is_some() && seen.run == status.run);
    let next = matches!(desired.intent, Intent::Run { run, .. } if status.run != Some(run));
    let clear = stands && !next && observed.cluster == ClusterContact::Reachable;
    clear.then(|| end(status, outcome, EndStep::Delete, now))
}

fn preparing(desired: &Desired, status: &Status, step: StartStep, now: Timestamp) -> Decision {
    let Some(run) = status.run else { return Decision::stay(status) };
    if course(desired, status) == Course::End {
        // Before the creation nothing in the cluster is the run's, and what there is stays.
        return match step {
            StartStep::Create | StartStep::JobManager => {
                end(status, Outcome::Canceled, EndStep::Delete, now)
            }
            StartStep::Snapshot | StartStep::Image | StartStep::Render | StartStep::Leftovers => {
                let state = State::Ended { outcome: Outcome::Canceled, at: now };
                Decision::go(status, state, Vec::new())
            }
        };
    }
    let action = match step {
        StartStep::Snapshot => Action::LocateSnapshot { run },
        StartStep::Image => Action::BuildImage { run },
        StartStep::Render => Action::RenderObjects { run },
        StartStep::Leftovers => Action::RemoveLeftovers { run },
        StartStep::Create | StartStep::JobManager => Action::CreateObjects { run },
    };
    Decision::repeat(status, action)
}

/// What should become of the run that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// It goes on.
    GoOn,
    /// It is stopped with a savepoint.
    Stop,
    /// It is ended as it is.
    End,
}

fn course(desired: &Desired, status: &Status) -> Course {
    if status.giving_up.is_some() {
        return Course::End;
    }
    let stop = || {
        let failed = status.savepoint.as_ref().is_some_and(|known| {
            Some(known.operation) == desired.savepoint.as_ref().map(|wish| wish.operation)
                && matches!(known.step, SavepointStep::Failed { .. })
        });
        if failed { Course::GoOn } else { Course::Stop }
    };
    match desired.intent {
        Intent::Rest => Course::GoOn,
        Intent::Run { run, .. } if status.run == Some(run) => Course::GoOn,
        Intent::Run { handover: Handover::Savepoint, .. } => match status.state {
            // It has no state of its own yet: what it starts from is what the next one starts from.
            State::Starting { .. } => Course::End,
            State::New
            | State::Live { .. }
            | State::Ending { .. }
            | State::Ended { .. }
            | State::Deleted => stop(),
        },
        Intent::Stop => match status.state {
            // It can be stopped with its state when it has some.
            State::Starting { .. } => Course::GoOn,
            State::New
            | State::Live { .. }
            | State::Ending { .. }
            | State::Ended { .. }
            | State::Deleted => stop(),
        },
        Intent::Run { handover: Handover::Cancel, .. } | Intent::Cancel | Intent::Delete => {
            Course::End
        }
    }
}

fn end(status: &Status, outcome: Outcome, step: EndStep, now: Timestamp) -> Decision {
    let action = |run: RunId| match step {
        EndStep::Save => Action::SaveOutcome { run },
        EndStep::Delete | EndStep::Pods => Action::DeleteDeployment { run },
        EndStep::HighAvailability => Action::DeleteHighAvailabilityData { run },
    };
    let actions = status.run.map(action).into_iter().collect();
    let status = Status { unreachable_since: None, ..status.clone() };
    Decision::go(&status, State::Ending { outcome, step, since: now }, actions)
}

fn unreachable(status: &Status, since: Timestamp, reason: &str) -> Decision {
    let status = Status {
        unreachable_since: Some(since),
        reason: Some(reason.to_owned()),
        ..status.clone()
    };
    Decision::stay(&status)
}

fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    // A clock that was set back has not made anything last long.
    if now < since { Duration::ZERO } else { now.duration_since(since).unsigned_abs() }
}

fn because(status: &Status, reason: impl Into<String>) -> Status {
    Status { reason: Some(reason.into()), ..status.clone() }
}

#[cfg(test)]
mod tests;
