//! The run is over: what is worth keeping is saved, and the cluster is cleared away.

use std::time::Duration;

use flumen_model::RunId;
use jiff::Timestamp;

use super::{Decision, elapsed, savepoint};
use crate::{Action, ClusterContact, DeploymentSeen, EndStep, Observed, Outcome, State, Status};

/// How long news of a Deployment that was deleted may be older than its deletion. One that stands for
/// longer was created anew: a request to create it was still on its way.
const LATE_NEWS: Duration = Duration::from_secs(10);

pub(super) fn ending(
    status: &Status,
    observed: &Observed,
    (outcome, step, since): (Outcome, EndStep, Timestamp),
    now: Timestamp,
) -> Decision {
    let Some(run) = status.run else { return Decision::stay(status) };
    let unreachable_since = match observed.cluster {
        ClusterContact::Unreachable { since } => Some(since),
        ClusterContact::NotYet => status.unreachable_since,
        ClusterContact::Reachable => None,
    };
    let status = &Status { unreachable_since, ..status.clone() };
    let waited = elapsed(since, now);
    if matches!(step, EndStep::Pods | EndStep::HighAvailability) && stands(observed, run) {
        if waited >= LATE_NEWS {
            let state = State::Ending { outcome, step: EndStep::Delete, since: now };
            return Decision::go(status, state, vec![Action::DeleteDeployment { run }]);
        }
        if step == EndStep::Pods {
            let wake_in = Some(LATE_NEWS.saturating_sub(waited));
            return Decision { wake_in, ..Decision::stay(status) };
        }
    }
    // What stands there under the name is another's, and so are the pods and the data. Where it names a run,
    // it may be old news of an earlier one: whose the data is, is looked at when it is to be deleted.
    let other = observed.deployment.as_ref().filter(|seen| seen.run != Some(run));
    let (taken, foreign) = (other.is_some(), other.is_some_and(|seen| seen.run.is_none()));
    match step {
        EndStep::Save => Decision::repeat(status, Action::SaveOutcome { run }),
        EndStep::Delete => Decision::repeat(status, Action::DeleteDeployment { run }),
        EndStep::Pods if observed.cluster != ClusterContact::Reachable => Decision::stay(status),
        EndStep::Pods if taken || (observed.deployment.is_none() && observed.pods.is_empty()) => {
            let state = State::Ending { outcome, step: EndStep::HighAvailability, since: now };
            let next = savepoint::last_search(&Status { state, ..status.clone() });
            if foreign && savepoint::pending_search(&next).is_none() {
                return Decision::go(status, State::Ended { outcome, at: now }, Vec::new());
            }
            last_steps(&next, run)
        }
        EndStep::Pods => Decision::stay(status),
        EndStep::HighAvailability => last_steps(status, run),
    }
}

/// Nothing of the run runs any more: only now a savepoint that is not there was not taken.
fn last_steps(status: &Status, run: RunId) -> Decision {
    let search = savepoint::pending_search(status);
    Decision::repeat(status, search.unwrap_or(Action::DeleteHighAvailabilityData { run }))
}

fn stands(observed: &Observed, run: RunId) -> bool {
    let stands = |seen: &DeploymentSeen| seen.run == Some(run) && !seen.deleting;
    observed.cluster == ClusterContact::Reachable
        && observed.deployment.as_ref().is_some_and(stands)
}
