use std::time::Duration;

use flumen_model::RunId;
use jiff::Timestamp;

use crate::{
    Action, ClusterContact, Component, Desired, EndStep, Intent, JobManagerContact, JobSeen,
    Observed, Outcome, StartStep, State, Status,
};

/// A JobManager that ended this often before it had the job is not given another chance: Flink's entry
/// point ends at once when the program cannot be loaded, and Kubernetes would start it for ever.
const MOST_JOB_MANAGER_RESTARTS: i32 = 2;

/// How long a cancelled job may keep its JobManager from answering before the Deployment is deleted
/// without it.
const CANCEL_PATIENCE: Duration = Duration::from_secs(30);

/// How often Flink is asked again to cancel.
const CANCEL_AGAIN: Duration = Duration::from_secs(2);

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
        State::New | State::Ended { .. } => at_rest(desired, status, now),
        State::Starting { step, since } => match step {
            StartStep::Image | StartStep::Render | StartStep::Leftovers | StartStep::Create => {
                preparing(desired, status, *step, now)
            }
            StartStep::JobManager => in_cluster(desired, status, observed, *since, now),
        },
        State::Live { since, .. } => in_cluster(desired, status, observed, *since, now),
        State::Ending { outcome, step, .. } => ending(status, observed, (outcome, *step), now),
        State::Deleted => Decision::repeat(status, Action::Forget),
    }
}

fn at_rest(desired: &Desired, status: &Status, now: Timestamp) -> Decision {
    match desired.intent {
        Intent::Run { run } if status.run != Some(run) => {
            let state = State::Starting { step: StartStep::Image, since: now };
            Decision {
                status: Status { state, run: Some(run), reason: None, unreachable_since: None },
                actions: vec![Action::BuildImage { run }],
                wake_in: None,
            }
        }
        Intent::Delete => Decision::go(status, State::Deleted, vec![Action::Forget]),
        Intent::Rest | Intent::Cancel | Intent::Run { .. } => Decision::stay(status),
    }
}

fn preparing(desired: &Desired, status: &Status, step: StartStep, now: Timestamp) -> Decision {
    let Some(run) = status.run else { return Decision::stay(status) };
    match desired.intent {
        Intent::Cancel | Intent::Delete => end(status, Outcome::Canceled, EndStep::Delete, now),
        Intent::Rest | Intent::Run { .. } => {
            let action = match step {
                StartStep::Image => Action::BuildImage { run },
                StartStep::Render => Action::RenderObjects { run },
                StartStep::Leftovers => Action::RemoveLeftovers { run },
                StartStep::Create | StartStep::JobManager => Action::CreateObjects { run },
            };
            Decision::repeat(status, action)
        }
    }
}

/// The run's objects were created at or after `since` and nothing final was seen.
fn in_cluster(
    desired: &Desired,
    status: &Status,
    observed: &Observed,
    since: Timestamp,
    now: Timestamp,
) -> Decision {
    let Some(run) = status.run else { return Decision::stay(status) };
    if let ClusterContact::Unreachable { since } = observed.cluster {
        return unreachable(status, since, "the Kubernetes API of the cluster does not answer");
    }
    if observed.cluster == ClusterContact::NotYet {
        return Decision::stay(status);
    }
    if let JobManagerContact::Answers { job: Some(job) } = &observed.job_manager
        && job.state.outcome().is_some()
    {
        return with_job(desired, status, (run, job), observed, now);
    }
    if is_gone(observed, run, since) {
        return vanished(status, observed, now);
    }
    if let JobManagerContact::Answers { job: Some(job) } = &observed.job_manager {
        return with_job(desired, status, (run, job), observed, now);
    }
    if matches!(desired.intent, Intent::Cancel | Intent::Delete) {
        return cancel_without_job(status, observed, now);
    }
    if let State::Live { .. } = status.state {
        return match observed.job_manager {
            JobManagerContact::NoAnswer { since } => {
                let silent = "the JobManager does not answer";
                let reason = waiting_reason(observed)
                    .map_or_else(|| silent.to_owned(), |why| format!("{silent}: {why}"));
                unreachable(status, since, &reason)
            }
            JobManagerContact::NotYet => Decision::stay(status),
            JobManagerContact::Answers { .. } => {
                let status = Status { unreachable_since: None, ..status.clone() };
                Decision::stay(&because(
                    &status,
                    "the JobManager answers and does not have the job",
                ))
            }
        };
    }
    awaiting_job_manager(status, observed, now)
}

/// Whether the run's Deployment, created before `since`, is not there any more. What was seen in the cluster
/// may be older than the creation, so its absence counts only with news that are younger.
fn is_gone(observed: &Observed, run: RunId, since: Timestamp) -> bool {
    let stands = observed.deployment.as_ref().is_some_and(|seen| seen.run == Some(run));
    let looked = observed.looked.is_some_and(|as_of| as_of > since);
    let deleted = observed.deletion.is_some_and(|seen| seen.run == run && seen.at > since);
    !stands && (looked || deleted)
}

fn vanished(status: &Status, observed: &Observed, now: Timestamp) -> Decision {
    // Logs under that name would be another's.
    let (reason, step) = if observed.deployment.is_some() {
        ("the Deployment of that name in the cluster is not the one of this run", EndStep::Delete)
    } else {
        ("the Deployment of the job is gone, and nobody saw how the job ended", EndStep::Save)
    };
    end(&because(status, reason), Outcome::Unknown, step, now)
}

fn with_job(
    desired: &Desired,
    status: &Status,
    (run, job): (RunId, &JobSeen),
    observed: &Observed,
    now: Timestamp,
) -> Decision {
    if let Some(outcome) = job.state.outcome() {
        let reason = match &outcome {
            Outcome::Failed => {
                Some(job.failure.clone().unwrap_or_else(|| "Flink gave no reason".to_owned()))
            }
            Outcome::Finished | Outcome::Canceled | Outcome::Unknown => None,
        };
        let known = Status { reason, unreachable_since: None, ..status.clone() };
        return end(&known, outcome, EndStep::Save, now);
    }
    let since = match &status.state {
        State::Live { flink, since } if *flink == job.state => *since,
        _ => now,
    };
    let status = Status {
        state: State::Live { flink: job.state, since },
        run: status.run,
        reason: job.failure.clone().or_else(|| waiting_reason(observed)),
        unreachable_since: None,
    };
    let cancelling = job.state == crate::FlinkState::Cancelling;
    match desired.intent {
        Intent::Cancel | Intent::Delete if !cancelling => Decision {
            actions: vec![Action::CancelJob { run }],
            wake_in: Some(CANCEL_AGAIN),
            status,
        },
        Intent::Rest | Intent::Run { .. } | Intent::Cancel | Intent::Delete => {
            Decision::stay(&status)
        }
    }
}

/// Nobody can be asked to cancel the job: it may not be there yet, or its JobManager is silent.
fn cancel_without_job(status: &Status, observed: &Observed, now: Timestamp) -> Decision {
    let over = end(status, Outcome::Canceled, EndStep::Save, now);
    if matches!(status.state, State::Starting { .. }) {
        return over;
    }
    match observed.job_manager {
        JobManagerContact::NotYet => Decision::stay(status),
        JobManagerContact::Answers { .. } => over,
        JobManagerContact::NoAnswer { since } => {
            let waited = now.duration_since(since).unsigned_abs();
            if waited >= CANCEL_PATIENCE {
                return over;
            }
            let wake_in = Some(CANCEL_PATIENCE.saturating_sub(waited));
            let silent = unreachable(status, since, "the JobManager does not answer");
            Decision { wake_in, ..silent }
        }
    }
}

fn awaiting_job_manager(status: &Status, observed: &Observed, now: Timestamp) -> Decision {
    let job_managers = || observed.pods.iter().filter(|pod| pod.component == Component::JobManager);
    let hopeless = job_managers().find_map(|pod| {
        let code = pod.last_exit.filter(|_| pod.restarts >= MOST_JOB_MANAGER_RESTARTS)?;
        Some((pod.restarts + 1, code))
    });
    if let Some((times, code)) = hopeless {
        let reason = format!(
            "the JobManager ended {times} times before it had the job, the last time with exit code {code}"
        );
        return end(&because(status, &reason), Outcome::Failed, EndStep::Save, now);
    }
    let status =
        Status { reason: waiting_reason(observed), unreachable_since: None, ..status.clone() };
    Decision::stay(&status)
}

/// Why a job does not get on, in one sentence: the first pod that says something.
fn waiting_reason(observed: &Observed) -> Option<String> {
    observed.pods.iter().filter(|pod| !pod.deleting).find_map(|pod| {
        if let Some(message) = &pod.unschedulable {
            return Some(format!("pod {} does not fit into the cluster: {message}", pod.name));
        }
        let (reason, message) = pod.waiting.as_ref()?;
        match reason.as_str() {
            "ContainerCreating" | "PodInitializing" => None,
            _ if message.is_empty() => Some(format!("pod {} waits: {reason}", pod.name)),
            _ => Some(format!("pod {} waits: {reason}: {message}", pod.name)),
        }
    })
}

fn ending(
    status: &Status,
    observed: &Observed,
    (outcome, step): (&Outcome, EndStep),
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
                Decision::go(status, State::Ended { outcome: outcome.clone(), at: now }, Vec::new())
            }
            None if observed.pods.is_empty() => {
                let state = State::Ending {
                    outcome: outcome.clone(),
                    step: EndStep::HighAvailability,
                    since: now,
                };
                Decision::go(status, state, vec![Action::DeleteHighAvailabilityData { run }])
            }
            None | Some(_) => Decision::stay(status),
        },
        EndStep::HighAvailability => {
            Decision::repeat(status, Action::DeleteHighAvailabilityData { run })
        }
    }
}

fn end(status: &Status, outcome: Outcome, step: EndStep, now: Timestamp) -> Decision {
    let action = status.run.map(|run| match step {
        EndStep::Save => Action::SaveOutcome { run },
        EndStep::Delete | EndStep::Pods => Action::DeleteDeployment { run },
        EndStep::HighAvailability => Action::DeleteHighAvailabilityData { run },
    });
    let status = Status { unreachable_since: None, ..status.clone() };
    Decision::go(&status, State::Ending { outcome, step, since: now }, action.into_iter().collect())
}

fn unreachable(status: &Status, since: Timestamp, reason: &str) -> Decision {
    let status = Status {
        unreachable_since: Some(since),
        reason: Some(reason.to_owned()),
        ..status.clone()
    };
    Decision::stay(&status)
}

fn because(status: &Status, reason: &str) -> Status {
    Status { reason: Some(reason.to_owned()), ..status.clone() }
}

#[cfg(test)]
mod tests;
