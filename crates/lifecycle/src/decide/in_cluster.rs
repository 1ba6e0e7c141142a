//! The run's objects were created and nothing final was seen.

use std::time::Duration;

use flumen_model::RunId;
use jiff::Timestamp;

use super::{Course, Decision, because, course, elapsed, end, savepoint, unreachable};
use crate::{
    Action, ClusterContact, Component, Desired, EndStep, FlinkState, JobManagerContact, JobSeen,
    Observed, Outcome, RestoredSeen, State, Status, plain_path,
};

/// A JobManager that ended this often before it had the job is not given another chance: Flink's entry
/// point ends at once when the program cannot be loaded, and Kubernetes would start it for ever.
const MOST_JOB_MANAGER_RESTARTS: i32 = 2;

/// How long a JobManager that had the job may crash again and again before the run is given up.
const CRASH_PATIENCE: Duration = Duration::from_mins(3);

/// How long a cancelled job may keep its JobManager from answering before the Deployment is deleted
/// without it.
const CANCEL_PATIENCE: Duration = Duration::from_secs(30);

/// How often Flink is asked again to cancel.
const CANCEL_AGAIN: Duration = Duration::from_secs(2);

/// How long a JobManager may answer without the job before the job counts as gone. One that recovers a
/// job does so within seconds of its first answer.
const JOB_PATIENCE: Duration = Duration::from_mins(2);

/// The run's objects were created at or after `since`.
pub(super) fn in_cluster(
    desired: &Desired,
    status: &Status,
    observed: &Observed,
    since: Timestamp,
    now: Timestamp,
) -> Decision {
    let Some(run) = status.run else { return Decision::stay(status) };
    if let ClusterContact::Unreachable { since } = observed.cluster {
        return unreachable(
            status,
            since,
            "the Kubernetes API of the cluster does not answer, or does not let Flumen look",
        );
    }
    if observed.cluster == ClusterContact::NotYet {
        return Decision::stay(status);
    }
    if let JobManagerContact::Answers { job: Some(job) } = &observed.job_manager {
        if let Some(outcome) = job.state.outcome() {
            return over(desired, status, (job, outcome), now);
        }
        if !is_gone(observed, run, since) {
            return with_job(desired, status, (run, job), observed, now);
        }
    }
    if is_gone(observed, run, since) {
        return vanished(status, observed, now);
    }
    if course(desired, status) == Course::End {
        return cancel_without_job(status, observed, now);
    }
    match status.state {
        State::Live { .. } => without_job(status, observed, now),
        State::New
        | State::Starting { .. }
        | State::Ending { .. }
        | State::Ended { .. }
        | State::Deleted => awaiting_job_manager(desired, status, observed, now),
    }
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
    let taken = observed.deployment.is_some();
    // Logs under that name would be another's.
    let step = if taken { EndStep::Delete } else { EndStep::Save };
    if !taken && let Some(decision) = savepoint::search_first(status) {
        return decision;
    }
    if status.savepoint.as_ref().is_some_and(|known| known.stopped(status)) {
        return end(status, Outcome::Stopped, step, now);
    }
    let reason = if taken {
        "the Deployment of that name in the cluster is not the one of this run"
    } else {
        "the Deployment of the job is gone, and nobody saw how the job ended"
    };
    let status = Status { intervened: true, ..because(status, reason) };
    end(&status, Outcome::Unknown, step, now)
}

/// Flink tells how the job ended.
fn over(
    desired: &Desired,
    status: &Status,
    (job, outcome): (&JobSeen, Outcome),
    now: Timestamp,
) -> Decision {
    let status = &savepoint::observe(status, job);
    if outcome == Outcome::Finished
        && let Some(decision) = savepoint::before_the_end(status)
    {
        return decision;
    }
    let known = Status { reason: None, unreachable_since: None, ..status.clone() };
    let known = if outcome == Outcome::Finished { confirm_restore(known, job) } else { known };
    let stopped =
        status.savepoint.as_ref().filter(|known| known.stops && Some(known.run) == status.run);
    let (status, outcome) = match (outcome, &known.giving_up) {
        (_, Some(reason)) => (because(&known, reason.clone()), Outcome::Failed),
        (Outcome::Finished, None) if stopped.is_some_and(|known| known.path().is_some()) => {
            (known, Outcome::Stopped)
        }
        (Outcome::Failed, None) => {
            (Status { reason: job.failure.clone(), ..known }, Outcome::Failed)
        }
        (Outcome::Canceled, None) if course(desired, &known) != Course::End => {
            let reason = "the job was cancelled, and not by Flumen";
            (Status { intervened: true, ..because(&known, reason) }, Outcome::Canceled)
        }
        (outcome, None) => (known, outcome),
    };
    end(&status, outcome, EndStep::Save, now)
}

fn with_job(
    desired: &Desired,
    status: &Status,
    (run, job): (RunId, &JobSeen),
    observed: &Observed,
    now: Timestamp,
) -> Decision {
    let since = match &status.state {
        State::Live { flink, since } if *flink == job.state => *since,
        _ => now,
    };
    let runs = job.state == FlinkState::Running;
    let status = Status {
        state: State::Live { flink: job.state, since },
        reason: job.failure.clone().or_else(|| waiting_reason(observed)),
        unreachable_since: None,
        running_at: status.running_at.or_else(|| runs.then_some(now)),
        checkpointed: status.checkpointed || job.checkpointed,
        ..status.clone()
    };
    let status = confirm_restore(savepoint::observe(&status, job), job);
    if let Some(decision) = savepoint::carry_on(desired, &status, job) {
        return decision;
    }
    match course(desired, &status) {
        Course::End if job.state != FlinkState::Cancelling => Decision {
            actions: vec![Action::CancelJob { run }],
            wake_in: Some(CANCEL_AGAIN),
            status,
        },
        Course::GoOn | Course::Stop | Course::End => match start_by(desired, &status) {
            Some(limit) if limit <= now => {
                let reason = late(desired, &status);
                let status = Status { giving_up: Some(reason.clone()), ..because(&status, reason) };
                Decision::repeat(&status, Action::CancelJob { run })
            }
            limit => Decision { wake_in: until(limit, now), ..Decision::stay(&status) },
        },
    }
}

/// A run that was started from a snapshot must have restored just that: Flink ignores the wish silently
/// where it finds state of an earlier run under the same cluster id.
fn confirm_restore(status: Status, job: &JobSeen) -> Status {
    let Some(restore) = status.restore.clone().filter(|restore| !restore.confirmed) else {
        return status;
    };
    if status.giving_up.is_some() {
        return status;
    }
    let wrong = match &job.restored {
        RestoredSeen::NotAsked => return status,
        // Flink says so only once the tasks are being set up.
        RestoredSeen::Nothing
            if !matches!(job.state, FlinkState::Running | FlinkState::Finished) =>
        {
            return status;
        }
        RestoredSeen::Nothing => "started with empty state".to_owned(),
        // Its JobManager restarted and took up what the run itself had written since.
        RestoredSeen::From { own: true, .. } => String::new(),
        RestoredSeen::From { path, .. } if plain_path(path) == plain_path(&restore.path) => {
            String::new()
        }
        RestoredSeen::From { path, .. } => format!("restored {path}"),
    };
    if wrong.is_empty() {
        let restore = Some(crate::Restore { confirmed: true, ..restore });
        return Status { restore, ..status };
    }
    let reason = format!("the run was to start from {}, and Flink {wrong}", restore.path);
    Status { giving_up: Some(reason.clone()), ..because(&status, reason) }
}

/// Nobody can be asked to cancel the job: it may not be there yet, or its JobManager is silent.
fn cancel_without_job(status: &Status, observed: &Observed, now: Timestamp) -> Decision {
    let over = || match &status.giving_up {
        Some(reason) => end(&because(status, reason.clone()), Outcome::Failed, EndStep::Save, now),
        None => end(status, Outcome::Canceled, EndStep::Save, now),
    };
    if matches!(status.state, State::Starting { .. }) {
        return over();
    }
    match observed.job_manager {
        JobManagerContact::NotYet => Decision::stay(status),
        JobManagerContact::Answers { .. } => over(),
        JobManagerContact::NoAnswer { since } => {
            let waited = elapsed(since, now);
            if waited >= CANCEL_PATIENCE {
                return over();
            }
            let wake_in = Some(CANCEL_PATIENCE.saturating_sub(waited));
            let silent = unreachable(status, since, "the JobManager does not answer");
            Decision { wake_in, ..silent }
        }
    }
}

/// The JobManager had the job, and now it is silent or has it no more.
fn without_job(status: &Status, observed: &Observed, now: Timestamp) -> Decision {
    match observed.job_manager {
        JobManagerContact::NotYet => Decision::stay(status),
        JobManagerContact::NoAnswer { since } => {
            if let Some(reason) = crashing(observed)
                && elapsed(since, now) >= CRASH_PATIENCE
            {
                return end(&because(status, reason), Outcome::Failed, EndStep::Save, now);
            }
            let silent = "the JobManager does not answer";
            let reason =
                why(observed).map_or_else(|| silent.to_owned(), |why| format!("{silent}: {why}"));
            let wake_in =
                crashing(observed).map(|_| CRASH_PATIENCE.saturating_sub(elapsed(since, now)));
            Decision { wake_in, ..unreachable(status, since, &reason) }
        }
        JobManagerContact::Answers { .. } => {
            let since = status.unreachable_since.unwrap_or(now);
            if elapsed(since, now) >= JOB_PATIENCE {
                if let Some(decision) = savepoint::search_first(status) {
                    return decision;
                }
                let reason = "the JobManager restarted and does not have the job any more";
                return end(&because(status, reason), Outcome::Unknown, EndStep::Save, now);
            }
            let reason = "the JobManager answers and does not have the job";
            let wake_in = Some(JOB_PATIENCE.saturating_sub(elapsed(since, now)));
            Decision { wake_in, ..unreachable(status, since, reason) }
        }
    }
}

fn awaiting_job_manager(
    desired: &Desired,
    status: &Status,
    observed: &Observed,
    now: Timestamp,
) -> Decision {
    let job_managers = || observed.pods.iter().filter(|pod| pod.component == Component::JobManager);
    let hopeless = job_managers().find_map(|pod| {
        let code = pod.last_exit.filter(|_| pod.restarts >= MOST_JOB_MANAGER_RESTARTS)?;
        Some((pod.restarts + 1, code))
    });
    if let Some((times, code)) = hopeless {
        let reason = format!(
            "the JobManager ended {times} times before it had the job, the last time with exit code {code}"
        );
        return end(&because(status, reason), Outcome::Failed, EndStep::Save, now);
    }
    // It may have had the job before anybody asked: one that restarted and finds the job's result in storage
    // has none for ever.
    let restarted = job_managers().any(|pod| pod.restarts > 0);
    if restarted && matches!(observed.job_manager, JobManagerContact::Answers { job: None }) {
        return without_job(status, observed, now);
    }
    let status = Status { reason: why(observed), unreachable_since: None, ..status.clone() };
    match start_by(desired, &status) {
        Some(limit) if limit <= now => {
            let reason = late(desired, &status);
            end(&because(&status, reason), Outcome::Failed, EndStep::Save, now)
        }
        limit => Decision { wake_in: until(limit, now), ..Decision::stay(&status) },
    }
}

/// When the start of a run that has not run yet is given up by the policy.
fn start_by(desired: &Desired, status: &Status) -> Option<Timestamp> {
    let limit = desired.restart.start_timeout.filter(|_| status.running_at.is_none())?;
    status.started_at.map(|began| began.saturating_add(limit).unwrap_or(Timestamp::MAX))
}

fn late(desired: &Desired, status: &Status) -> String {
    let limit = desired.restart.start_timeout.unwrap_or_default();
    let held_up = status.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("the job did not run within {limit:#} of its start{held_up}")
}

fn until(limit: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
    limit.map(|limit| elapsed(now, limit))
}

/// Why the JobManager will not come back by itself.
fn crashing(observed: &Observed) -> Option<String> {
    observed.pods.iter().filter(|pod| pod.component == Component::JobManager).find_map(|pod| {
        let (reason, _) = pod.waiting.as_ref()?;
        let code = pod.last_exit.filter(|_| reason == "CrashLoopBackOff")?;
        Some(format!(
            "the JobManager ends again and again ({} restarts), the last time with exit code {code}",
            pod.restarts
        ))
    })
}

/// Why the JobManager is not there, in one sentence.
fn why(observed: &Observed) -> Option<String> {
    let scaled = observed.deployment.as_ref().is_some_and(|seen| seen.replicas == 0);
    if scaled {
        return Some("someone scaled the Deployment to 0 replicas".to_owned());
    }
    waiting_reason(observed)
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
