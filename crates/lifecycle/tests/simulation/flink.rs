//! Flink: what a JobManager does with the run's job, its checkpoints and its savepoints. Ids of savepoint
//! orders and the history of checkpoints live in the process and die with it; checkpoints, savepoints and
//! results lie in storage; which checkpoint is the newest stands in the high-availability data.

use std::collections::BTreeMap;

use flumen_lifecycle::{FlinkState, Outcome};
use flumen_model::{OperationId, RunId};

use crate::{kubernetes::short, world::World};

#[derive(Debug, Default)]
pub(crate) struct JobManager {
    /// Whether its REST API listens.
    pub(crate) up: bool,
    /// Whether it cannot be reached though it works.
    pub(crate) silent: bool,
    /// Whether it found the result of the run in storage, and so has no job for ever.
    pub(crate) jobless: bool,
    pub(crate) job: Option<Job>,
    pub(crate) orders: Vec<Order>,
    /// Savepoints that it completed, and may still name.
    pub(crate) remembered: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) run: RunId,
    pub(crate) state: FlinkState,
    pub(crate) all_tasks_run: bool,
    pub(crate) restored: Option<String>,
    pub(crate) checkpointed: bool,
    pub(crate) end: End,
}

/// How far the end of a job is.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// Whether it ended with the savepoint of a stop.
    stopped: bool,
    /// Whether its final state stands in storage.
    committed: bool,
}

/// A savepoint that was ordered.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) operation: OperationId,
    pub(crate) stops: bool,
    pub(crate) directory: String,
    pub(crate) stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    InProgress,
    /// Its `_metadata` lies in storage, and nobody was told yet.
    Written(String),
    Completed(String),
    Failed(String),
}

/// A savepoint that lies in storage.
#[derive(Debug, Clone)]
pub(crate) struct Savepoint {
    pub(crate) directory: String,
    pub(crate) path: String,
}

#[derive(Debug)]
pub(crate) struct Storage {
    /// Whether servers can look into it.
    pub(crate) readable: bool,
    /// The number of the newest complete checkpoint that lies there.
    pub(crate) checkpoints: BTreeMap<RunId, u64>,
    pub(crate) savepoints: Vec<Savepoint>,
    /// `job-result-store`.
    pub(crate) results: BTreeMap<RunId, Outcome>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            readable: true,
            checkpoints: BTreeMap::new(),
            savepoints: Vec::new(),
            results: BTreeMap::new(),
        }
    }
}

impl Storage {
    /// Whether a job can be started from there.
    pub(crate) fn holds(&self, path: &str) -> bool {
        self.savepoints.iter().any(|one| one.path == path)
            || self.checkpoints.iter().any(|(run, number)| checkpoint(*run, *number) == path)
    }

    pub(crate) fn savepoints_in(&self, directory: &str) -> Vec<String> {
        let found = self.savepoints.iter().filter(|one| one.directory == directory);
        found.filter(|_| self.readable).map(|one| one.path.clone()).collect()
    }

    pub(crate) fn savepoint_in(&self, directory: &str) -> Option<String> {
        self.savepoints_in(directory).pop()
    }
}

pub(crate) fn checkpoint(run: RunId, number: u64) -> String {
    format!("file:/c/{run}/chk-{number}")
}

/// One step of the container of the pod, whichever is next.
pub(crate) fn advance(world: &mut World, index: usize) {
    let bad_program = world.habits.bad_program && !world.calm;
    let pod = &mut world.kubernetes.pods[index];
    let Some(process) = &mut pod.process else {
        pod.process = Some(JobManager::default());
        world.kubernetes.publish();
        return;
    };
    if !process.up {
        if bad_program {
            crash(world, index);
        } else {
            process.up = true;
        }
        return;
    }
    match &process.job {
        None if !process.jobless && pod.run.is_some() => take_up(world, index),
        None => {}
        Some(_) => {
            let orders = process.orders.iter().any(Order::is_open);
            if orders && world.random.one_in(2) {
                bring_on_savepoint(world, index);
            } else {
                move_job(world, index);
            }
        }
    }
}

/// The process dies; what it knew by heart is lost.
pub(crate) fn crash(world: &mut World, index: usize) {
    let pod = &mut world.kubernetes.pods[index];
    if pod.process.take().is_some() {
        pod.restarts += 1;
        pod.last_exit = Some(1);
        world.tell(|world| format!("the JobManager jm-{} dies", world.kubernetes.pods[index].uid));
        world.kubernetes.publish();
    }
}

/// The JobManager is ready for the run's job: from where it goes on depends on what it finds.
fn take_up(world: &mut World, index: usize) {
    let (uid, owner, run) = {
        let pod = &world.kubernetes.pods[index];
        (pod.uid, pod.owner, pod.run)
    };
    let Some(run) = run else { return };
    let data = world.kubernetes.high_availability.get(&Some(run)).copied();
    let leads = |pod: &crate::kubernetes::Pod| {
        pod.uid != uid
            && pod.owner == owner
            && pod.process.as_ref().is_some_and(|process| process.job.is_some())
    };
    // The lease of the one that leads is in the data; without it nobody is known to lead.
    if data.is_some() && world.kubernetes.pods.iter().any(leads) {
        return;
    }
    if world.storage.results.contains_key(&run) {
        if let Some(process) = &mut world.kubernetes.pods[index].process {
            process.jobless = true;
        }
        return;
    }
    let asked = world.kubernetes.pods[index].restore.clone();
    let leftover =
        world.kubernetes.high_availability.iter().find(|(owner, _)| **owner != Some(run));
    let restored = match (data, leftover) {
        (Some(0), _) | (None, None) => asked,
        (Some(number), _) => Some(checkpoint(run, number)),
        // Whatever was asked for is ignored, silently.
        (None, Some((owner, number))) => {
            let (owner, number) = (*owner, *number);
            if owner.is_some() {
                let told = short(owner);
                world.violate(format!("the new run met the state of run {told} in the cluster"));
            }
            owner.filter(|_| number > 0).map(|owner| checkpoint(owner, number))
        }
    };
    world.kubernetes.high_availability.entry(Some(run)).or_insert(0);
    world.facts.first_restored.entry(run).or_insert_with(|| restored.clone());
    world.tell(|_| format!("Flink takes up run {} from {restored:?}", short(Some(run))));
    let job = Job {
        run,
        state: FlinkState::Initializing,
        all_tasks_run: false,
        restored,
        checkpointed: false,
        end: End::default(),
    };
    if let Some(process) = &mut world.kubernetes.pods[index].process {
        process.job = Some(job);
    }
}

impl Order {
    fn is_open(&self) -> bool {
        matches!(self.stage, Stage::InProgress | Stage::Written(_))
    }
}

impl Job {
    pub(crate) fn consumes(&self) -> bool {
        matches!(self.state, FlinkState::Running | FlinkState::Failing | FlinkState::Cancelling)
    }
}

fn bring_on_savepoint(world: &mut World, index: usize) {
    let fails = !world.calm && world.random.permille(world.habits.savepoint_failures);
    let number = world.storage.savepoints.len();
    let World { kubernetes, storage, facts, .. } = &mut *world;
    let Some(process) = &mut kubernetes.pods[index].process else { return };
    let Some(order) = process.orders.iter_mut().find(|order| order.is_open()) else { return };
    let Some(job) = &mut process.job else { return };
    if job.state != FlinkState::Running || !job.all_tasks_run {
        if let Stage::Written(path) = &order.stage {
            facts.disowned.insert(path.clone());
        }
        order.stage = Stage::Failed("the job does not run".to_owned());
        return;
    }
    match &order.stage {
        Stage::InProgress if fails => order.stage = Stage::Failed("no rights".to_owned()),
        Stage::InProgress => {
            let path = format!("{}/savepoint-{number}", order.directory);
            let directory = order.directory.clone();
            storage.savepoints.push(Savepoint { directory, path: path.clone() });
            facts.completed.push((order.operation, job.run, path.clone()));
            process.remembered.push(path.clone());
            order.stage = Stage::Written(path);
        }
        Stage::Written(path) => {
            order.stage = Stage::Completed(path.clone());
            if order.stops {
                job.state = FlinkState::Finished;
                job.end.stopped = true;
            }
        }
        Stage::Completed(_) | Stage::Failed(_) => {}
    }
    world.tell(|world| {
        let orders = world.kubernetes.pods[index].process.as_ref().map(|one| one.orders.clone());
        format!("savepoints in Flink: {orders:?}")
    });
}

fn move_job(world: &mut World, index: usize) {
    let calm = world.calm;
    let roll = world.random.below(1000);
    let failures = if calm { 0 } else { world.habits.job_failures };
    let World { kubernetes, storage, facts, .. } = &mut *world;
    let Some(job) = kubernetes.pods[index].process.as_mut().and_then(|one| one.job.as_mut()) else {
        return;
    };
    let run = job.run;
    let newest = kubernetes.high_availability.get(&Some(run)).copied();
    let before = job.state;
    match job.state {
        FlinkState::Initializing | FlinkState::Reconciling => job.state = FlinkState::Created,
        FlinkState::Created => {
            let found = job.restored.as_ref().is_none_or(|path| storage.holds(path));
            job.state = if found { FlinkState::Running } else { FlinkState::Failing };
            if found {
                facts.ran.insert(run);
            }
        }
        FlinkState::Running if !job.all_tasks_run => {
            job.all_tasks_run = true;
        }
        FlinkState::Running if roll < failures => {
            job.state = FlinkState::Failing;
            job.all_tasks_run = false;
        }
        FlinkState::Running if roll < failures * 3 / 2 => job.state = FlinkState::Finished,
        FlinkState::Running if roll >= 600 => {
            // Without its data the JobManager is about to fail, and completes nothing.
            if let Some(newest) = newest {
                let number = newest.max(storage.checkpoints.get(&run).copied().unwrap_or(0)) + 1;
                storage.checkpoints.insert(run, number);
                kubernetes.high_availability.insert(Some(run), number);
                job.checkpointed = true;
            }
        }
        FlinkState::Failing => {
            let found = job.restored.as_ref().is_none_or(|path| storage.holds(path));
            let again = found && (calm || roll < 600);
            job.state = if again { FlinkState::Restarting } else { FlinkState::Failed };
        }
        FlinkState::Restarting => {
            if let Some(number) = newest.filter(|number| *number > 0) {
                job.restored = Some(checkpoint(run, number));
            }
            job.state = FlinkState::Running;
        }
        FlinkState::Cancelling => job.state = FlinkState::Canceled,
        FlinkState::Suspended => job.state = FlinkState::Initializing,
        FlinkState::Finished | FlinkState::Failed | FlinkState::Canceled if !job.end.committed => {
            job.end.committed = true;
            let outcome = job.state.outcome().unwrap_or(Outcome::Unknown);
            storage.results.insert(run, outcome);
            if job.end.stopped {
                facts.stopped.insert(run);
            }
            if outcome == Outcome::Finished {
                storage.checkpoints.remove(&run);
            }
            // The clean-up of an end is often cut short.
            if roll < 750 {
                kubernetes.high_availability.remove(&Some(run));
            }
        }
        FlinkState::Running | FlinkState::Finished | FlinkState::Failed | FlinkState::Canceled => {}
    }
    let after = job.state;
    if before != after {
        world.tell(|_| format!("Flink: run {} is {after:?}", short(Some(run))));
    }
}
