use flumen_api_types as api;
use flumen_control as control;
use flumen_lifecycle::{
    Desired, Intent, JobState, Outcome, Savepoint, SavepointStep, Status, next_run,
};
use flumen_model::StartFrom;

use super::count;

pub(crate) fn job(view: control::JobView) -> api::Job {
    let control::JobView { job, state, state_since, run } = view;
    let savepoint = savepoint(&job.desired, &job.status);
    let next_restart = next_run(&job.desired, &job.status).map(|next| api::NextRestart {
        at: next.at,
        attempt: next.attempt,
        attempts: next.attempts,
    });
    api::Job {
        environment: job.environment,
        name: job.name,
        cluster: job.cluster,
        namespace: job.namespace,
        cluster_id: job.cluster_id,
        spec: control::shown_spec(job.spec),
        version: count(job.version),
        desired: desired(job.desired.intent),
        state: job_state(state),
        reason: job.status.reason,
        unreachable_since: job.status.unreachable_since,
        state_since,
        created_at: job.created_at,
        updated_at: job.updated_at,
        release: job.release,
        run: run.map(self::run),
        operation: job.desired.operation,
        savepoint,
        next_restart,
        latest_snapshot: None,
        live: None,
    }
}

pub(crate) fn job_summary(view: control::JobView) -> api::JobSummary {
    let control::JobView { job, state, state_since, run } = view;
    api::JobSummary {
        environment: job.environment,
        name: job.name,
        state: job_state(state),
        reason: job.status.reason,
        unreachable_since: job.status.unreachable_since,
        state_since,
        flink_version: job.spec.flink_version,
        release: job.release,
        started_at: run.as_ref().map(|run| run.created_at),
        ended_at: run.as_ref().and_then(|run| run.ended_at),
    }
}

pub(crate) const fn job_state(state: JobState) -> api::JobState {
    match state {
        JobState::New => api::JobState::New,
        JobState::Starting => api::JobState::Starting,
        JobState::Created => api::JobState::Created,
        JobState::Running => api::JobState::Running,
        JobState::Restarting => api::JobState::Restarting,
        JobState::Suspended => api::JobState::Suspended,
        JobState::Canceling => api::JobState::Canceling,
        JobState::Stopping => api::JobState::Stopping,
        JobState::Ending => api::JobState::Ending,
        JobState::Finished => api::JobState::Finished,
        JobState::Failed => api::JobState::Failed,
        JobState::Canceled => api::JobState::Canceled,
        JobState::Stopped => api::JobState::Stopped,
        JobState::EndedUnknown => api::JobState::EndedUnknown,
        JobState::Deleting => api::JobState::Deleting,
    }
}

const fn desired(intent: Intent) -> api::Desired {
    match intent {
        Intent::Rest => api::Desired::Idle,
        Intent::Run { .. } => api::Desired::Running,
        Intent::Stop => api::Desired::Stopped,
        Intent::Cancel => api::Desired::Canceled,
        Intent::Delete => api::Desired::Deleted,
    }
}

/// The savepoint that was asked for last, also before anything was done about it.
fn savepoint(desired: &Desired, status: &Status) -> Option<api::SavepointProgress> {
    let known = status.savepoint.as_ref();
    let wish = desired.savepoint.as_ref().filter(|wish| {
        desired.operation == Some(wish.operation)
            && known.is_none_or(|known| known.operation != wish.operation)
    });
    match wish {
        Some(wish) => Some(api::SavepointProgress {
            operation: wish.operation,
            stops: wish.stops,
            state: api::SavepointState::Underway,
            since: None,
            path: None,
            reason: None,
        }),
        None => known.map(known_savepoint),
    }
}

fn known_savepoint(known: &Savepoint) -> api::SavepointProgress {
    let state = match &known.step {
        SavepointStep::Completed { .. } => api::SavepointState::Completed,
        SavepointStep::Failed { .. } => api::SavepointState::Failed,
        SavepointStep::Trigger
        | SavepointStep::Await { .. }
        | SavepointStep::Search
        | SavepointStep::Absent => api::SavepointState::Underway,
    };
    let (since, reason) = match &known.step {
        SavepointStep::Await { since, .. } => (Some(*since), None),
        SavepointStep::Failed { reason } => (None, Some(reason.clone())),
        _ => (None, None),
    };
    api::SavepointProgress {
        operation: known.operation,
        stops: known.stops,
        state,
        since,
        path: known.path().map(str::to_owned),
        reason,
    }
}

pub(crate) fn run(run: control::Run) -> api::Run {
    api::Run {
        id: run.id,
        number: count(run.number),
        release: run.release,
        environment: run.environment,
        image: run.image,
        start_from: Some(source(run.start.from)),
        restored_from: run.restored,
        started_at: run.created_at,
        running_at: run.running_at,
        ended_at: run.ended_at,
        outcome: run.outcome.map(outcome),
        reason: run.reason,
        exceptions: run.exceptions,
    }
}

const fn outcome(outcome: Outcome) -> api::Outcome {
    match outcome {
        Outcome::Finished => api::Outcome::Finished,
        Outcome::Stopped => api::Outcome::Stopped,
        Outcome::Failed => api::Outcome::Failed,
        Outcome::Canceled => api::Outcome::Canceled,
        Outcome::Unknown => api::Outcome::EndedUnknown,
    }
}

fn source(from: StartFrom) -> api::StartSource {
    match from {
        StartFrom::Nothing => api::StartSource::Nothing,
        StartFrom::Latest => api::StartSource::Latest,
        StartFrom::Path { path } => api::StartSource::Path(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_the_api_are_those_of_the_lifecycle() {
        assert_eq!(JobState::ALL.map(job_state), api::JobState::ALL);
        for state in JobState::ALL {
            assert_eq!(job_state(state).as_str(), state.as_str());
        }
    }
}
