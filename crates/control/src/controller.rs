//! Carries out what `decide` says, one job at a time, as many jobs side by side as there are permits.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flumen_lifecycle::{
    Action, ActionFailure, Desired, EndStep, JobState, Progress, SavepointStep, StartStep, State,
    Status, decide, progress, record, retry_delay, settle,
};
use flumen_model::{JobId, Kind, OperationId};
use flumen_store::{Job, JobEvent};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{Control, Error, actions, clock, identity, jobs, snapshots, tracker::Questions};

/// How many jobs are worked on at once. More would only wait for the two writers behind them: the
/// database and the Kubernetes API.
const SIDE_BY_SIDE: usize = 16;

/// When a round failed for a reason of our own, such as a database that is away.
pub(crate) const AFTER_FAULT: Duration = Duration::from_secs(2);

/// Steps that end by themselves rather than by an action.
const AWAIT_JOB_MANAGER: &str = "await-job-manager";
const AWAIT_RUNNING: &str = "await-running";
const AWAIT_PODS_GONE: &str = "await-pods-gone";
const AWAIT_SAVEPOINT: &str = "await-savepoint";

/// What the controller remembers between rounds; lost with the process, and only time is lost with it.
#[derive(Debug, Default)]
struct Memory {
    /// How often in a row an action of the job failed.
    failures: HashMap<JobId, u32>,
    /// The operation of the job that was ended.
    ended: HashMap<JobId, OperationId>,
}

/// Everything a round needs.
#[derive(Debug, Clone)]
struct Rounds {
    control: Control,
    memory: Arc<Mutex<Memory>>,
}

pub(crate) async fn run(control: Control, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let rounds = Rounds { control: control.clone(), memory: Arc::default() };
    loop {
        let job = tokio::select! {
            () = stop.cancelled() => return,
            job = control.wakes().take() => job,
        };
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let rounds = rounds.clone();
        let taken = Taken { control: control.clone(), job };
        control.tasks().spawn("job", |stop| async move {
            let _held = (permit, taken);
            tokio::select! {
                () = stop.cancelled() => {}
                () = rounds.bring_on(job) => {}
            }
        });
    }
}

/// Gives a job back however the work on it ends.
struct Taken {
    control: Control,
    job: JobId,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.control.wakes().give_back(self.job);
    }
}

enum Round {
    /// Something changed: decide again at once.
    Again,
    /// Nothing to do until something is seen or the time has come.
    Wait { wake_in: Option<Duration> },
    /// An action failed and is tried again after a delay.
    Retry { kind: Kind },
}

impl Rounds {
    /// Brings one job as far as it gets now.
    async fn bring_on(&self, id: JobId) {
        loop {
            match self.round(id).await {
                Ok(Round::Again) => {
                    self.memory().failures.remove(&id);
                }
                Ok(Round::Wait { wake_in }) => {
                    self.memory().failures.remove(&id);
                    if let Some(delay) = wake_in {
                        self.control.wakes().wake_in(id, delay);
                    }
                    return;
                }
                Ok(Round::Retry { kind }) => {
                    let failures = *self
                        .memory()
                        .failures
                        .entry(id)
                        .and_modify(|count| *count += 1)
                        .or_insert(1);
                    self.control.wakes().wake_in(id, retry_delay(kind, failures));
                    return;
                }
                Err(error) => {
                    tracing::warn!(job.id = %id, error = error.paragraph(), "a round of the controller failed");
                    self.control.wakes().wake_in(id, AFTER_FAULT);
                    return;
                }
            }
        }
    }

    async fn round(&self, id: JobId) -> Result<Round, Error> {
        let control = &self.control;
        let Some(mut job) = control.store().job(id).await? else {
            return Ok(Round::Wait { wake_in: None });
        };
        let place = jobs::place(&job);
        // Here rather than where jobs are made, which may break off right after.
        control.tracker().register(place.clone(), job.id);
        let observed = control.tracker().observed(&place, job.status.run);
        let decision = decide(&job.desired, &job.status, &observed, clock::now());
        let moved = decision.status.state != job.status.state;
        save(control, &mut job, decision.status).await?;
        follow(control, &job);
        // In another state something else may be called for at once, and nobody would say so later.
        let mut round =
            if moved { Round::Again } else { Round::Wait { wake_in: decision.wake_in } };
        for action in decision.actions {
            match act(control, &mut job, action).await? {
                Done::Yes { moved } if moved => round = Round::Again,
                Done::Yes { .. } => {}
                Done::Gone => {
                    self.memory().ended.remove(&id);
                    return Ok(Round::Wait { wake_in: None });
                }
                Done::Failed { kind } => return Ok(Round::Retry { kind }),
            }
        }
        self.report(&job).await?;
        Ok(round)
    }

    /// Ends the operation when what it asked for is so, or cannot become so.
    async fn report(&self, job: &Job) -> Result<(), Error> {
        let Some(operation) = job.desired.operation else { return Ok(()) };
        if self.memory().ended.get(&job.id) == Some(&operation) {
            return Ok(());
        }
        let failure = match progress(&job.desired, &job.status) {
            Progress::Underway => return Ok(()),
            Progress::Succeeded => None,
            Progress::Failed { reason } => Some(reason),
        };
        let store = self.control.store();
        store.finish_operation(operation, failure.as_deref(), clock::now()).await?;
        if let Some(desired) = settle(&job.desired, &job.status) {
            // Who wished for something else meanwhile has the last word.
            store.save_desired(job.id, job.version, &desired).await?;
            self.control.wakes().wake(job.id);
        }
        self.memory().ended.insert(job.id, operation);
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Done {
    Yes { moved: bool },
    Gone,
    Failed { kind: Kind },
}

async fn act(control: &Control, job: &mut Job, action: Action) -> Result<Done, Error> {
    let operation = job.desired.operation;
    if let Some(operation) = operation {
        control.store().begin_step(operation, action.name(), clock::now()).await?;
    }
    tracing::debug!(job.id = %job.id, job.name = %job.name, action = action.name(), "carrying out");
    let result = actions::carry_out(control, job, action).await;
    let now = clock::now();
    let result =
        result.map_err(|error| ActionFailure { kind: error.kind(), message: error.paragraph() });
    let status = record(&job.status, action, result.as_ref().map(|done| &done.finding), now);
    // What cannot succeed is given up if the job can go on without it, else it is tried again, slowly.
    let given_up = match &result {
        Ok(_) => false,
        Err(failure) => !failure.kind.is_transient() && status.state != job.status.state,
    };
    if let Some(operation) = operation {
        note_result(control, operation, action, &result, given_up).await?;
    }
    if matches!(action, Action::Forget) && result.is_ok() {
        return Ok(Done::Gone);
    }
    let moved = status != job.status;
    save(control, job, status).await?;
    Ok(match result {
        Err(failure) if !given_up => {
            tracing::info!(job.id = %job.id, job.name = %job.name, action = action.name(), error = failure.message, "an action failed and is tried again");
            Done::Failed { kind: failure.kind }
        }
        Ok(_) | Err(_) => Done::Yes { moved },
    })
}

async fn note_result(
    control: &Control,
    operation: OperationId,
    action: Action,
    result: &Result<actions::Done, ActionFailure>,
    given_up: bool,
) -> Result<(), Error> {
    let store = control.store();
    let (detail, failure) = match result {
        Ok(done) => (done.detail.as_deref(), None),
        Err(failure) => (None, Some(failure.message.as_str())),
    };
    store.note_step(operation, action.name(), detail, failure).await?;
    if failure.is_none() || given_up {
        store.finish_step(operation, action.name(), failure, clock::now()).await?;
    }
    Ok(())
}

/// Stores a status that is different, with its entry in the timeline and the steps that end by it.
async fn save(control: &Control, job: &mut Job, status: Status) -> Result<(), Error> {
    if status == job.status {
        return Ok(());
    }
    if let (
        State::Ending { outcome, step: EndStep::Delete, .. } | State::Ended { outcome, .. },
        Some(run),
    ) = (&status.state, status.run)
    {
        // The end is written down before the cluster is cleared away, also where there was nothing to
        // save; what was written first stands.
        let reason = status.reason.as_deref();
        control.store().save_run_end(run, *outcome, reason, clock::now()).await?;
    }
    let known = job.status.savepoint.as_ref().and_then(|known| known.path());
    if let Some(savepoint) = &status.savepoint
        && let Some(path) = savepoint.path().filter(|path| Some(*path) != known)
    {
        // Written down before it is said to be complete, so that it is never unknown.
        snapshots::record_savepoint(control, job, savepoint, path).await?;
    }
    control.store().save_status(job.id, job.status_version, &status).await?;
    job.status_version += 1;
    let before = std::mem::replace(&mut job.status, status);
    let now = clock::now();
    let (old, new) = (JobState::of(&job.desired, &before), JobState::of(&job.desired, &job.status));
    let another_run = before.run != job.status.run;
    if old != new || another_run || before.unreachable_since != job.status.unreachable_since {
        let message = describe(new, &job.status);
        tracing::info!(job.id = %job.id, job.name = %job.name, state = %new, reason = job.status.reason.as_deref(), "the job's state changed");
        let event = JobEvent { id: identity::event(), at: now, kind: "state".to_owned(), message };
        control.store().save_event(job.id, &event).await?;
    }
    if let (State::Live { flink: flumen_lifecycle::FlinkState::Running, .. }, Some(run)) =
        (&job.status.state, job.status.run)
    {
        control.store().save_run_running(run, now).await?;
    }
    wait_steps(control, &job.desired, &before, &job.status).await
}

fn describe(state: JobState, status: &Status) -> String {
    let since = status
        .unreachable_since
        .map(|since| format!(", unreachable since {since}"))
        .unwrap_or_default();
    let reason = status.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{state}{since}{reason}")
}

async fn wait_steps(
    control: &Control,
    desired: &Desired,
    before: &Status,
    after: &Status,
) -> Result<(), Error> {
    let Some(operation) = desired.operation else { return Ok(()) };
    let (old, new) = (waits_for(before), waits_for(after));
    if old == new {
        return Ok(());
    }
    let now = clock::now();
    if let Some(step) = old {
        control.store().finish_step(operation, step, None, now).await?;
    }
    if let Some(step) = new {
        control.store().begin_step(operation, step, now).await?;
    }
    Ok(())
}

fn waits_for(status: &Status) -> Option<&'static str> {
    use flumen_lifecycle::FlinkState;

    let taken = status.savepoint.as_ref().map(|known| &known.step);
    match &status.state {
        State::Live { .. } if matches!(taken, Some(SavepointStep::Await { .. })) => {
            Some(AWAIT_SAVEPOINT)
        }
        State::Starting { step: StartStep::JobManager, .. } => Some(AWAIT_JOB_MANAGER),
        State::Live { flink: FlinkState::Initializing | FlinkState::Created, .. } => {
            Some(AWAIT_RUNNING)
        }
        State::Ending { step: EndStep::Pods, .. } => Some(AWAIT_PODS_GONE),
        State::New
        | State::Starting { .. }
        | State::Live { .. }
        | State::Ending { .. }
        | State::Ended { .. }
        | State::Deleted => None,
    }
}

/// Has the JobManager asked while the job is in the cluster.
fn follow(control: &Control, job: &Job) {
    let in_cluster = matches!(
        job.status.state,
        State::Starting { step: StartStep::JobManager, .. } | State::Live { .. }
    );
    match job.status.run {
        Some(run) if in_cluster => {
            let trigger = match job.status.savepoint.as_ref().map(|known| &known.step) {
                Some(SavepointStep::Await { trigger, .. }) => Some(trigger.clone()),
                Some(_) | None => None,
            };
            let restored = job.status.restore.as_ref().is_some_and(|restore| !restore.confirmed);
            let minor = job.spec.flink_version.minor();
            let questions = Questions { run, minor, trigger, restored };
            control.tracker().follow(job.id, &jobs::place(job), questions);
        }
        _ => control.tracker().unfollow(job.id),
    }
}
