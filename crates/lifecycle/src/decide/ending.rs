//! The run is over: what is worth keeping is saved, and the cluster is cleared away.

use jiff::Timestamp;

use super::Decision;
use crate::{Action, ClusterContact, EndStep, Observed, Outcome, State, Status};

pub(super) fn ending(
    status: &Status,
    observed: &Observed,
    (outcome, step): (Outcome, EndStep),
    now: Timestamp,
) -> Decision {
    let Some(run) = status.run else { return Decision::stay(status) };
    let unreachable_since = match observed.cluster {
        ClusterContact::Unreachable { since } => Some(since),
        ClusterContact::NotYet => status.unreachable_since,
        ClusterContact::Reachable => None,
    };
    let status = &Status { unreachable_since, ..status.clone() };
    match step {
        EndStep::Save => Decision::repeat(status, Action::SaveOutcome { run }),
        EndStep::Delete => Decision::repeat(status, Action::DeleteDeployment { run }),
        EndStep::Pods => match &observed.deployment {
            _ if observed.cluster != ClusterContact::Reachable => Decision::stay(status),
            // What stands there under the name is another's, and so are the pods and the data.
            Some(deployment) if deployment.run != Some(run) => {
                Decision::go(status, State::Ended { outcome, at: now }, Vec::new())
            }
            None if observed.pods.is_empty() => {
                let state = State::Ending { outcome, step: EndStep::HighAvailability, since: now };
                Decision::go(status, state, vec![Action::DeleteHighAvailabilityData { run }])
            }
            None | Some(_) => Decision::stay(status),
        },
        EndStep::HighAvailability => {
            Decision::repeat(status, Action::DeleteHighAvailabilityData { run })
        }
    }
}
