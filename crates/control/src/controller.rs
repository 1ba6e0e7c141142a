//! Carries out what `decide` says, one job at a time, as many jobs side by side as there are permits.

mod steps;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flumen_lifecycle::{
    Action, ActionFailure, JobState, Progress, SavepointStep, StartStep, State, Status, decide,
    progress, record, retry_delay, settle,
};
use flumen_model::{JobId, OperationId};
use flumen_store::{Job, JobEvent};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use self::steps::Wait;
use crate::{Control, Error, actions, clock, identity, jobs, snapshots, tracker::Questions};

/// How many jobs of a cluster are worked on at once. More would mostly wait for the database, which writes for one at a
/// time. Each cluster has as many of its own: the jobs of one that is away may all be waiting for it, and hold up no
/// other.
const SIDE_BY_SIDE: usize = 16;

/// When a round failed for a reason of our own, such as a database that is away.
pub(crate) const AFTER_FAULT: Duration = Duration::from_secs(2);

/// What the controller remembers between rounds; lost with the process, and only time is lost with it.
#[derive(Debug, Default)]
struct Memory {
    /// In which cluster the job is.
    clusters: HashMap<JobId, String>,
    /// Who may work in a cluster.
    permits: HashMap<String, Arc<Semaphore>>,
    /// How often in a row an action of the job failed.
    failures: HashMap<JobId, u32>,
    /// The operation of the job that was ended.
    ended: HashMap<JobId, OperationId>,
    /// The step in which the job waits, as it was written down last.
    waits: HashMap<JobId, Wait>,
}

/// Everything a round needs.
#[derive(Debug, Clone)]
struct Rounds {
    control: Control,
    memory: Arc<Mutex<Memory>>,
    /// Who may ask the database in which cluster a job is.
    looks: Arc<Semaphore>,
}

pub(crate) async fn run(control: Control, stop: CancellationToken) {
    let rounds = Rounds {
        control: control.clone(),
        memory: Arc::default(),
        looks: Arc::new(Semaphore::new(SIDE_BY_SIDE)),
    };
    loop {
        let job = tokio::select! {
            () = stop.cancelled() => return,
            job = control.wakes().take() => job,
        };
        let rounds = rounds.clone();
        let taken = Taken { control: control.clone(), job };
        control.tasks().spawn("job", |stop| async move {
            let _taken = taken;
            let work = async {
                let _permit = rounds.permit(job).await;
                rounds.bring_on(job).await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
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
    Retry { may_pass: bool },
}

impl Rounds {
    /// Waits for the turn of the job among those of its cluster.
    async fn permit(&self, id: JobId) -> Option<OwnedSemaphorePermit> {
        let known = self.memory().clusters.get(&id).cloned();
        let cluster = if let Some(cluster) = known {
            cluster
        } else {
            let _look = self.looks.acquire().await.ok()?;
            // What the database cannot say now, the round will say.
            let job = self.control.store().job(id).await.ok().flatten()?;
            self.memory().clusters.insert(id, job.cluster.clone());
            job.cluster
        };
        let permits = Arc::clone(
            self.memory()
                .permits
                .entry(cluster)
                .or_insert_with(|| Arc::new(Semaphore::new(SIDE_BY_SIDE))),
        );
        permits.acquire_owned().await.ok()
    }

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
                Ok(Round::Retry { may_pass }) => {
                    let failures = *self
                        .memory()
                        .failures
                        .entry(id)
                        .and_modify(|count| *count += 1)
                        .or_insert(1);
                    self.control.wakes().wake_in(id, retry_delay(may_pass, failures));
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
        self.note_wait(&job).await?;
        follow(control, &job);
        // In another state something else may be called for at once, and nobody would say so later.
        let mut round =
            if moved { Round::Again } else { Round::Wait { wake_in: decision.wake_in } };
        for action in decision.actions {
            let done = act(control, &mut job, action).await?;
            self.note_wait(&job).await?;
            match done {
                Done::Yes { moved } if moved => round = Round::Again,
                Done::Yes { .. } => {}
                Done::Gone => {
                    let mut memory = self.memory();
                    memory.ended.remove(&id);
                    memory.waits.remove(&id);
                    memory.clusters.remove(&id);
                    return Ok(Round::Wait { wake_in: None });
                }
                Done::Failed { may_pass } => return Ok(Round::Retry { may_pass }),
            }
        }
        self.report(&job).await?;
        Ok(round)
    }

    async fn note_wait(&self, job: &Job) -> Result<(), Error> {
        let known = self.memory().waits.get(&job.id).copied();
        let wait = steps::note_wait(&self.control, job, known).await?;
        let mut memory = self.memory();
        match wait {
            Some(wait) => memory.waits.insert(job.id, wait),
            None => memory.waits.remove(&job.id),
        };
        Ok(())
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
    Failed { may_pass: bool },
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
        Err(failure) => {
            let known = (&job.status.state, &job.status.savepoint);
            !failure.may_pass(action) && (&status.state, &status.savepoint) != known
        }
    };
    if let Some(operation) = operation {
        steps::note_result(control, operation, action, &result, given_up).await?;
    }
    if matches!(action, Action::Forget) && result.is_ok() {
        return Ok(Done::Gone);
    }
    let moved = status != job.status;
    save(control, job, status).await?;
    Ok(match result {
        Err(failure) if !given_up => {
            tracing::info!(job.id = %job.id, job.name = %job.name, action = action.name(), error = failure.message, "an action failed and is tried again");
            Done::Failed { may_pass: failure.may_pass(action) }
        }
        Ok(_) | Err(_) => Done::Yes { moved },
    })
}

/// Stores a status that is different, with its entry in the timeline and what the run's row says of it.
async fn save(control: &Control, job: &mut Job, status: Status) -> Result<(), Error> {
    if status == job.status {
        return Ok(());
    }
    let known = job.status.savepoint.as_ref().and_then(|known| known.path());
    if let Some(savepoint) = &status.savepoint
        && let Some(path) = savepoint.path().filter(|path| Some(*path) != known)
    {
        // Written down before it is said to be complete, so that it is never unknown.
        snapshots::record_savepoint(control, job, savepoint, path).await?;
    }
    let before = std::mem::replace(&mut job.status, status);
    let (old, new) = (JobState::of(&job.desired, &before), JobState::of(&job.desired, &job.status));
    let another_run = before.run != job.status.run;
    let is_news =
        old != new || another_run || before.unreachable_since != job.status.unreachable_since;
    let event = is_news.then(|| {
        let message = describe(new, &job.status);
        JobEvent { id: identity::event(), at: clock::now(), kind: "state".to_owned(), message }
    });
    control.store().save_status(job, event.as_ref(), clock::now()).await?;
    job.status_version += 1;
    if is_news {
        tracing::info!(job.id = %job.id, job.name = %job.name, state = %new, reason = job.status.reason.as_deref(), "the job's state changed");
    }
    Ok(())
}

fn describe(state: JobState, status: &Status) -> String {
    let since = status
        .unreachable_since
        .map(|since| format!(", unreachable since {since}"))
        .unwrap_or_default();
    let reason = status.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{state}{since}{reason}")
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
