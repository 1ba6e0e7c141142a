//! Checkpoints and savepoints: what Flink tells of them, what is written down, and what is looked for.

use flumen_lifecycle::{ActionFailure, Finding, Outcome};
use flumen_model::{Kind, OperationId, RunId};

use super::{Done, job_manager, run_of};
use crate::{
    database::{From, Job, Snapshot},
    flink::{Order, Stage, checkpoint},
    handle::Handle,
    world::{Way, World, failure},
};

/// What Flink says of the checkpoints of a job.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) checkpointed: bool,
    pub(crate) restored: Option<String>,
    newest: Option<u64>,
    savepoints: Vec<String>,
}

/// None if it does not have the job.
pub(crate) fn checkpoints(world: &mut World, run: RunId) -> Result<Option<Told>, ActionFailure> {
    let newest = world.kubernetes.high_availability.get(&Some(run)).copied();
    let process = job_manager(world)?;
    let savepoints = process.remembered.clone();
    Ok(process.job.as_ref().filter(|job| job.run == run).map(|job| Told {
        checkpointed: job.checkpointed,
        restored: job.restored.clone(),
        newest: newest.filter(|number| *number > 0 && job.checkpointed),
        savepoints,
    }))
}

/// Writes down the snapshots that Flink tells of.
pub(crate) async fn record(handle: &Handle, run: RunId, told: Told) -> Result<(), ActionFailure> {
    let save = handle.call(Way::Database, "save snapshots", |world| {
        let Some(job) = world.database.run(run).map(|run| run.job) else { return Ok(()) };
        for path in told.savepoints {
            world.database.record(Snapshot { job, run, path, number: None });
        }
        if let Some(number) = told.newest {
            let path = checkpoint(run, number);
            world.database.record(Snapshot { job, run, path, number: Some(number) });
        }
        Ok(())
    });
    save.await
}

pub(super) fn directory_of(job: &Job, operation: OperationId) -> String {
    let known = job.status.savepoint.as_ref().filter(|known| known.operation == operation);
    let base = known.and_then(|known| known.directory.clone());
    format!("{}/{operation}", base.unwrap_or_else(|| "file:/s".to_owned()))
}

pub(super) async fn locate_snapshot(handle: &Handle, job: &Job, run: RunId) -> Done {
    let found = match run_of(handle, run).await?.from {
        From::Nothing => None,
        From::Latest => latest(&handle.look(), job),
        From::Path(path) => {
            let world = handle.look();
            if world.storage.readable && !world.storage.holds(&path) {
                return Err(failure(Kind::Invalid, "no job can be started from that snapshot"));
            }
            Some(path)
        }
    };
    let save = handle.call(Way::Database, "save what is restored", |world| {
        if let Some(row) = world.database.run_mut(run) {
            row.restored.clone_from(&found);
        }
        Ok(Finding::Restore(found.clone()))
    });
    save.await
}

/// The newest snapshot of the job that can be started from.
pub(crate) fn latest(world: &World, job: &Job) -> Option<String> {
    let storage = &world.storage;
    let mut runs = world.database.runs.iter().rev().filter(|run| run.job == job.id);
    let last = runs.find(|run| run.outcome.is_some() && run.rendered);
    let recorded = || world.database.snapshots.iter().rev().filter(|one| one.job == job.id);
    if let Some(last) =
        last.filter(|run| !matches!(run.outcome, Some(Outcome::Stopped | Outcome::Finished)))
        && let Some(number) = storage.checkpoints.get(&last.id).filter(|_| storage.readable)
    {
        let known = recorded().filter(|one| one.run == last.id).filter_map(|one| one.number).max();
        if known.is_none_or(|known| known < *number) {
            return Some(checkpoint(last.id, *number));
        }
    }
    recorded().find(|one| !storage.readable || storage.holds(&one.path)).map(|one| one.path.clone())
}

pub(super) async fn trigger_savepoint(
    handle: &Handle,
    job: &Job,
    (run, operation): (RunId, OperationId),
) -> Done {
    let known = job.status.savepoint.as_ref().filter(|known| known.operation == operation);
    let stops = known.is_some_and(|known| known.stops);
    let directory = directory_of(job, operation);
    // What lies there was completed for an order that nobody heard of.
    let lying = handle.look().storage.savepoints_in(&directory);
    for path in lying {
        record_savepoint(handle, job, run, path).await?;
    }
    let order = handle.call(Way::Cluster, "trigger savepoint", |world| {
        let process = job_manager(world)?;
        if process.job.as_ref().is_none_or(|job| job.run != run) {
            return Err(failure(Kind::NotFound, "Flink does not have the job"));
        }
        let id = operation.to_string();
        if process.orders.iter().all(|order| order.id != id) {
            let stage = Stage::InProgress;
            process.orders.push(Order { id: id.clone(), operation, stops, directory, stage });
        }
        Ok(Finding::Trigger(id))
    });
    order.await
}

pub(super) async fn find_savepoint(
    handle: &Handle,
    job: &Job,
    (run, operation): (RunId, OperationId),
) -> Done {
    let directory = directory_of(job, operation);
    let told = handle.call(Way::Cluster, "ask for checkpoints", |world| checkpoints(world, run));
    // A JobManager that does not answer is no failure: the storage has the last word.
    let remembered = told.await.ok().flatten().and_then(|told| {
        told.savepoints.into_iter().rev().find(|path| path.starts_with(&directory))
    });
    let found = remembered.or_else(|| handle.look().storage.savepoint_in(&directory));
    handle.world().tell(|_| format!("server {}: found {found:?}", handle.server));
    Ok(Finding::Savepoint(found))
}

pub(crate) async fn record_savepoint(
    handle: &Handle,
    job: &Job,
    run: RunId,
    path: String,
) -> Result<(), ActionFailure> {
    let job = job.id;
    let save = handle.call(Way::Database, "save savepoint", |world| {
        world.database.record(Snapshot { job, run, path: path.clone(), number: None });
        Ok(())
    });
    save.await
}
