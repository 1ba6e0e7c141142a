use std::{sync::Arc, time::Duration};

use flumen_flink_rest as flink;
use flumen_lifecycle::{ClusterContact, Component, FlinkState, JobManagerContact, JobSeen};
use flumen_model::{FlinkMinor, JobId, RunId};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Key, Tracker};
use crate::{Error, clock, clusters::JobManager};

/// While the JobManager is on its way: it is a person who waits.
const AWAITING: Duration = Duration::from_millis(200);
/// While the job changes: starting, failing, being cancelled.
const CHANGING: Duration = Duration::from_millis(500);
/// While it runs: at most 0.2 requests a second and job. What happens to its pods nudges.
const STEADY: Duration = Duration::from_secs(5);
/// While it is silent: a twentieth of the time that it has been so, and at most this.
const SILENT: Duration = Duration::from_secs(2);

/// Whose JobManager to ask, and for which job.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) job: JobId,
    pub(super) key: Key,
    pub(super) run: RunId,
    pub(super) minor: FlinkMinor,
}

/// Asks the JobManager until told to stop.
pub(super) async fn run(
    tracker: Tracker,
    target: Target,
    nudge: Arc<Notify>,
    stop: CancellationToken,
) {
    loop {
        let contact = tokio::select! {
            () = stop.cancelled() => return,
            contact = look(&tracker, &target) => contact,
        };
        let contact = keep_first_silence(&tracker, &target, contact);
        let pause = pause_after(&contact, clock::now());
        let changed = tracker.index().job_manager(&target.key, target.run, contact);
        if changed && !stop.is_cancelled() {
            tracker.inner.wakes.wake(target.job);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = nudge.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn pause_after(contact: &JobManagerContact, now: Timestamp) -> Duration {
    match contact {
        JobManagerContact::NotYet | JobManagerContact::Answers { job: None } => AWAITING,
        JobManagerContact::NoAnswer { since } => {
            (now.duration_since(*since).unsigned_abs() / 20).clamp(AWAITING, SILENT)
        }
        JobManagerContact::Answers { job: Some(job) } => match job.state {
            FlinkState::Running => STEADY,
            FlinkState::Initializing
            | FlinkState::Created
            | FlinkState::Failing
            | FlinkState::Failed
            | FlinkState::Cancelling
            | FlinkState::Canceled
            | FlinkState::Finished
            | FlinkState::Restarting
            | FlinkState::Suspended
            | FlinkState::Reconciling => CHANGING,
        },
    }
}

/// A JobManager that stays silent has been so since it was first.
fn keep_first_silence(
    tracker: &Tracker,
    target: &Target,
    contact: JobManagerContact,
) -> JobManagerContact {
    match (tracker.observed(&target.key, Some(target.run)).job_manager, contact) {
        (JobManagerContact::NoAnswer { since }, JobManagerContact::NoAnswer { .. }) => {
            JobManagerContact::NoAnswer { since }
        }
        (_, contact) => contact,
    }
}

async fn look(tracker: &Tracker, target: &Target) -> JobManagerContact {
    let observed = tracker.observed(&target.key, Some(target.run));
    // Without the cluster nobody can ask, which is not the JobManager's silence.
    if observed.cluster != ClusterContact::Reachable {
        return JobManagerContact::NotYet;
    }
    let started =
        |pod: &flumen_lifecycle::PodSeen| pod.component == Component::JobManager && pod.ready;
    let result = if observed.pods.iter().any(started) {
        ask(tracker, target).await.map(Some)
    } else {
        Ok(None)
    };
    match result {
        Ok(Some(job)) => JobManagerContact::Answers { job },
        Ok(None) => JobManagerContact::NoAnswer { since: clock::now() },
        Err(error) => {
            tracing::debug!(job.id = %target.job, error = error.paragraph(), "the JobManager does not answer");
            JobManagerContact::NoAnswer { since: clock::now() }
        }
    }
}

async fn ask(tracker: &Tracker, target: &Target) -> Result<Option<JobSeen>, Error> {
    let job_manager = JobManager::of(&tracker.inner.clusters, &target.key).await?;
    let jobs = job_manager.call(&flink::jobs_overview()).await?;
    let Some(job) = jobs.iter().find(|job| is_ours(job, &jobs, target)) else { return Ok(None) };
    let Some(state) = state_of(&job.state) else { return Ok(None) };
    let failing =
        matches!(state, FlinkState::Failing | FlinkState::Failed | FlinkState::Restarting);
    let failure = if failing { failure_of(&job_manager, job.id).await } else { None };
    Ok(Some(JobSeen { state, failure }))
}

/// The job with the run's id. Flink up to 1.11 chooses the id itself; the one job of an application
/// is the run's there.
fn is_ours(job: &flink::JobSummary, all: &[flink::JobSummary], target: &Target) -> bool {
    job.id == flink::JobId::from(target.run)
        || (target.minor < FlinkMinor::new(1, 12) && all.len() == 1)
}

async fn failure_of(job_manager: &JobManager, job: flink::JobId) -> Option<String> {
    let exceptions = job_manager.call(&flink::exceptions(job, 1)).await.ok()?;
    let newest = exceptions.entries.first()?;
    Some(newest.cause().chars().take(500).collect())
}

/// None for a word that no Flink up to 2.3 uses.
fn state_of(state: &flink::JobState) -> Option<FlinkState> {
    Some(match state {
        flink::JobState::Initializing => FlinkState::Initializing,
        flink::JobState::Created => FlinkState::Created,
        flink::JobState::Running => FlinkState::Running,
        flink::JobState::Failing => FlinkState::Failing,
        flink::JobState::Failed => FlinkState::Failed,
        flink::JobState::Cancelling => FlinkState::Cancelling,
        flink::JobState::Canceled => FlinkState::Canceled,
        flink::JobState::Finished => FlinkState::Finished,
        flink::JobState::Restarting => FlinkState::Restarting,
        flink::JobState::Suspended => FlinkState::Suspended,
        flink::JobState::Reconciling => FlinkState::Reconciling,
        flink::JobState::Unknown(_) => return None,
    })
}
