use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use flumen_flink_rest as flink;
use flumen_lifecycle::{
    ClusterContact, Component, FlinkState, JobManagerContact, JobSeen, PodSeen, RestoredSeen,
    SavepointSeen, SavepointSeenProgress,
};
use flumen_model::{FlinkMinor, JobId, Kind, RunId};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Place, Shared, Tracker, result};
use crate::{Error, clock, clusters::JobManager, snapshots};

/// While the JobManager is on its way, or somebody waits for an answer: it is a person who waits.
const AWAITING: Duration = Duration::from_millis(200);
/// While the job changes: starting, failing, being cancelled.
const CHANGING: Duration = Duration::from_millis(500);
/// While it runs: one request, so at most 0.2 requests a second and job. What happens to its pods and
/// to its high-availability data nudges.
const STEADY: Duration = Duration::from_secs(5);
/// While it is silent: a twentieth of the time that it has been so, and at most this.
const SILENT: Duration = Duration::from_secs(2);
/// The checkpoints of a running job are asked for when its high-availability data changed, and else so
/// often.
const CHECKPOINTS_EVERY: Duration = Duration::from_secs(30);

/// Flink's words where the job takes no checkpoints (`CheckpointingStatisticsHandler`).
const NO_CHECKPOINTS: &str = "Checkpointing has not been enabled";

/// Whose JobManager is asked.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) job: JobId,
    pub(super) place: Place,
}

/// What is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Questions {
    /// The run whose job it is to have.
    pub(crate) run: RunId,
    /// Its Flink.
    pub(crate) minor: FlinkMinor,
    /// The savepoint to ask after.
    pub(crate) trigger: Option<String>,
    /// Whether somebody wants to know what the job was restored from.
    pub(crate) restored: bool,
}

/// What is known of the job from earlier looks.
#[derive(Debug)]
pub(super) struct Memory {
    job: Option<JobSeen>,
    checkpoints_at: Option<Instant>,
    pub(super) checkpointed: bool,
    restored: RestoredSeen,
    /// Whether the last request of a steady job was about its checkpoints.
    turn: bool,
    /// Whether the JobManager ever had the job.
    pub(super) had_job: bool,
}

/// Asks the JobManager until told to stop.
pub(super) async fn run(
    tracker: Tracker,
    target: Target,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut memory = Memory {
        job: None,
        checkpoints_at: None,
        checkpointed: false,
        restored: RestoredSeen::NotAsked,
        turn: false,
        had_job: false,
    };
    loop {
        let questions = shared.questions();
        let contact = tokio::select! {
            () = stop.cancelled() => return,
            contact = look(&tracker, &target, &questions, (&shared, &mut memory)) => contact,
        };
        let contact = match contact {
            JobManagerContact::NoAnswer { .. } | JobManagerContact::Answers { job: None } => {
                result::left(&tracker, &target, questions.run, &memory).await.unwrap_or(contact)
            }
            JobManagerContact::NotYet | JobManagerContact::Answers { job: Some(_) } => contact,
        };
        let contact = keep_first_silence(&tracker, &target, &questions, contact);
        let looked = contact != JobManagerContact::NotYet;
        if looked && shared.state_gone.swap(false, Ordering::Relaxed) && !is_over(&contact) {
            tracker.note_deletion(target.job, STATE_DELETED).await;
        }
        let pause = pause_after(&contact, &questions, clock::now());
        let changed = tracker.index().job_manager(&target.place, questions.run, contact);
        if changed && !stop.is_cancelled() {
            tracker.inner.wakes.wake(target.job);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.nudge.notified() => memory.turn = true,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// What follows from it is Flink's: its JobManager takes it for a fatal error and starts again.
const STATE_DELETED: &str = "someone deleted the ConfigMap in which Flink keeps the pointers to the job's state; its JobManager starts again, and may do so with empty state";

fn is_over(contact: &JobManagerContact) -> bool {
    match contact {
        JobManagerContact::Answers { job: Some(job) } => {
            job.state.outcome().is_some() || job.state == FlinkState::Cancelling
        }
        JobManagerContact::Answers { job: None } => true,
        JobManagerContact::NotYet | JobManagerContact::NoAnswer { .. } => false,
    }
}

fn pause_after(contact: &JobManagerContact, questions: &Questions, now: Timestamp) -> Duration {
    match contact {
        JobManagerContact::NotYet | JobManagerContact::Answers { job: None } => AWAITING,
        JobManagerContact::NoAnswer { since } => {
            (now.duration_since(*since).unsigned_abs() / 20).clamp(AWAITING, SILENT)
        }
        JobManagerContact::Answers { job: Some(job) } => {
            if questions.trigger.is_some() || questions.restored {
                return CHANGING;
            }
            match job.state {
                FlinkState::Running if job.all_tasks_run => STEADY,
                FlinkState::Running
                | FlinkState::Initializing
                | FlinkState::Created
                | FlinkState::Failing
                | FlinkState::Failed
                | FlinkState::Cancelling
                | FlinkState::Canceled
                | FlinkState::Finished
                | FlinkState::Restarting
                | FlinkState::Suspended
                | FlinkState::Reconciling => CHANGING,
            }
        }
    }
}

/// A JobManager that stays silent has been so since it was first.
fn keep_first_silence(
    tracker: &Tracker,
    target: &Target,
    questions: &Questions,
    contact: JobManagerContact,
) -> JobManagerContact {
    match (tracker.observed(&target.place, Some(questions.run)).job_manager, contact) {
        (JobManagerContact::NoAnswer { since }, JobManagerContact::NoAnswer { .. }) => {
            JobManagerContact::NoAnswer { since }
        }
        (_, contact) => contact,
    }
}

async fn look(
    tracker: &Tracker,
    target: &Target,
    questions: &Questions,
    (shared, memory): (&Shared, &mut Memory),
) -> JobManagerContact {
    let observed = tracker.observed(&target.place, Some(questions.run));
    // Without the cluster nobody can ask, which is not the JobManager's silence.
    if observed.cluster != ClusterContact::Reachable {
        return JobManagerContact::NotYet;
    }
    let started = |pod: &PodSeen| pod.component == Component::JobManager && pod.ready;
    if !observed.pods.iter().any(started) {
        return JobManagerContact::NoAnswer { since: clock::now() };
    }
    match ask(tracker, target, questions, (shared, memory)).await {
        Ok(job) => {
            memory.had_job |= job.is_some();
            memory.job.clone_from(&job);
            JobManagerContact::Answers { job }
        }
        Err(error) => {
            tracing::debug!(job.id = %target.job, error = error.paragraph(), "the JobManager does not answer");
            memory.job = None;
            JobManagerContact::NoAnswer { since: clock::now() }
        }
    }
}

async fn ask(
    tracker: &Tracker,
    target: &Target,
    questions: &Questions,
    (shared, memory): (&Shared, &mut Memory),
) -> Result<Option<JobSeen>, Error> {
    let job_manager = JobManager::of(&tracker.inner.clusters, &target.place).await?;
    let id = flink::JobId::from(questions.run);
    let curious = questions.trigger.is_some() || questions.restored;
    if let Some(known) = memory.job.clone()
        && known.state == FlinkState::Running
        && known.all_tasks_run
        && !curious
        && !std::mem::take(&mut memory.turn)
        && checkpoints_due(shared, memory)
    {
        // Instead of the state, so that a steady job costs no more; the next turn is the state's.
        memory.turn = true;
        ask_checkpoints(tracker, target, questions.run, (&job_manager, memory)).await?;
        return Ok(Some(JobSeen { checkpointed: memory.checkpointed, ..known }));
    }
    let jobs = job_manager.call(&flink::jobs_overview()).await?;
    let Some(job) = jobs.iter().find(|job| is_ours(job, &jobs, questions)) else { return Ok(None) };
    let Some(state) = state_of(&job.state) else { return Ok(None) };
    let failing =
        matches!(state, FlinkState::Failing | FlinkState::Failed | FlinkState::Restarting);
    let failure = if failing { failure_of(&job_manager, job.id).await } else { None };
    let first = memory.checkpoints_at.is_none() && state == FlinkState::Running;
    let unheard =
        questions.restored && !matches!(state, FlinkState::Initializing | FlinkState::Created);
    if first || unheard {
        ask_checkpoints(tracker, target, questions.run, (&job_manager, memory)).await?;
    }
    let savepoint = match &questions.trigger {
        Some(trigger) => Some(ask_savepoint(&job_manager, id, trigger).await?),
        None => None,
    };
    let completed = savepoint
        .as_ref()
        .is_some_and(|seen| matches!(seen.progress, SavepointSeenProgress::Completed { .. }));
    if completed {
        note_size(tracker, target, questions.run, (&job_manager, memory)).await;
    }
    Ok(Some(JobSeen {
        state,
        failure,
        all_tasks_run: job.tasks.running + job.tasks.finished >= job.tasks.total(),
        checkpointed: memory.checkpointed,
        restored: if questions.restored { memory.restored.clone() } else { RestoredSeen::NotAsked },
        savepoint,
    }))
}

fn checkpoints_due(shared: &Shared, memory: &Memory) -> bool {
    let old = memory.checkpoints_at.is_none_or(|at| at.elapsed() >= CHECKPOINTS_EVERY);
    shared.take_state_moved() || old
}

/// Asks for the checkpoints and writes down those that are complete.
async fn ask_checkpoints(
    tracker: &Tracker,
    target: &Target,
    run: RunId,
    (job_manager, memory): (&JobManager, &mut Memory),
) -> Result<(), Error> {
    memory.checkpoints_at = Some(Instant::now());
    let checkpoints = match job_manager.call(&flink::checkpoints(flink::JobId::from(run))).await {
        Ok(checkpoints) => checkpoints,
        // A job that takes none has restored none. A job that is not there, since its JobManager has just
        // restarted, says nothing.
        Err(error)
            if error.kind() == Kind::NotFound && error.paragraph().contains(NO_CHECKPOINTS) =>
        {
            memory.restored = RestoredSeen::Nothing;
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    memory.checkpointed |= checkpoints.counts.completed > 0;
    memory.restored = match &checkpoints.latest.restored {
        Some(flink::Restored { external_path: Some(path), .. }) => RestoredSeen::From {
            own: path.contains(&run.to_string()) && path.contains("/chk-"),
            path: path.clone(),
        },
        Some(_) | None => RestoredSeen::Nothing,
    };
    if let Err(error) =
        snapshots::record_told(&tracker.inner.store, target.job, run, &checkpoints).await
    {
        tracing::warn!(job.id = %target.job, error = error.paragraph(), "checkpoints were not written down; they are asked for again");
        memory.checkpoints_at = None;
    }
    Ok(())
}

/// Size and duration of a completed savepoint stand among the checkpoints only, and with a job that it stops
/// they are soon gone. It is not worth waiting for them.
async fn note_size(
    tracker: &Tracker,
    target: &Target,
    run: RunId,
    (job_manager, memory): (&JobManager, &mut Memory),
) {
    if let Err(error) = ask_checkpoints(tracker, target, run, (job_manager, memory)).await {
        tracing::debug!(job.id = %target.job, error = error.paragraph(), "the savepoint's size was not told");
    }
}

async fn ask_savepoint(
    job_manager: &JobManager,
    job: flink::JobId,
    trigger: &str,
) -> Result<SavepointSeen, Error> {
    let seen = |progress| SavepointSeen { trigger: trigger.to_owned(), progress };
    let Ok(id) = trigger.parse::<flink::TriggerId>() else {
        return Ok(seen(SavepointSeenProgress::Unknown));
    };
    match job_manager.call(&flink::savepoint_status(job, id)).await {
        Ok(flink::SavepointStatus::InProgress) => Ok(seen(SavepointSeenProgress::InProgress)),
        Ok(flink::SavepointStatus::Completed { location }) => {
            Ok(seen(SavepointSeenProgress::Completed { path: location }))
        }
        Ok(flink::SavepointStatus::Failed(failure)) => {
            let reason = failure.cause().chars().take(500).collect();
            Ok(seen(SavepointSeenProgress::Failed { reason }))
        }
        Err(error) if error.kind() == Kind::NotFound => Ok(seen(SavepointSeenProgress::Unknown)),
        Err(error) => Err(error),
    }
}

/// The job with the run's id. Flink up to 1.11 chooses the id itself; the one job of an application
/// is the run's there.
fn is_ours(job: &flink::JobSummary, all: &[flink::JobSummary], questions: &Questions) -> bool {
    job.id == flink::JobId::from(questions.run)
        || (questions.minor < FlinkMinor::new(1, 12) && all.len() == 1)
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
