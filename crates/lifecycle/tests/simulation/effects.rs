//! The effects, as the crate `control` causes them: call by call, none of them deciding whether it is called
//! for.

mod snapshots;

use flumen_lifecycle::{
    Action, ActionFailure, Desired, Finding, Handover, Intent, Outcome, State, next_run,
};
use flumen_model::{Kind, OperationId, RunId};

use crate::{
    database::{From, Job, Operation, Run},
    flink::JobManager,
    handle::Handle,
    invariants,
    kubernetes::short,
    world::{Way, World, failure},
};

pub(crate) use snapshots::{Told, checkpoints, record, record_savepoint};
use snapshots::{directory_of, find_savepoint, locate_snapshot, trigger_savepoint};

type Done = Result<Finding, ActionFailure>;

pub(crate) async fn carry_out(handle: &Handle, job: &Job, action: Action) -> Done {
    match action {
        Action::LocateSnapshot { run } => locate_snapshot(handle, job, run).await,
        Action::BuildImage { .. } => Ok(Finding::Nothing),
        Action::RenderObjects { run } => {
            let render = handle.call(Way::Database, "save objects", |world| {
                if let Some(row) = world.database.run_mut(run) {
                    row.rendered = true;
                }
                Ok(Finding::Nothing)
            });
            render.await
        }
        Action::RemoveLeftovers { run } => remove_leftovers(handle, job, run).await,
        Action::CreateObjects { run } => create_objects(handle, run).await,
        Action::TriggerSavepoint { run, operation } => {
            trigger_savepoint(handle, job, (run, operation)).await
        }
        Action::FindSavepoint { run, operation } => {
            find_savepoint(handle, job, (run, operation)).await
        }
        Action::CancelJob { run } => cancel_job(handle, run).await,
        Action::SaveOutcome { run } => save_outcome(handle, job, run).await,
        Action::DeleteDeployment { run } => delete_deployment(handle, run).await,
        Action::DeleteHighAvailabilityData { run } => delete_data(handle, run).await,
        Action::StartAgain { run } => start_again(handle, job, run).await,
        Action::Forget => forget(handle, job).await,
    }
}

pub(crate) fn job_manager(world: &mut World) -> Result<&mut JobManager, ActionFailure> {
    world
        .kubernetes
        .job_manager()
        .ok_or_else(|| failure(Kind::Unavailable, "the JobManager does not answer"))
}

pub(super) async fn run_of(handle: &Handle, run: RunId) -> Result<Run, ActionFailure> {
    let read = handle.call(Way::Database, "read run", |world| {
        world.database.run(run).cloned().ok_or_else(|| failure(Kind::NotFound, "no such run"))
    });
    read.await
}

async fn remove_leftovers(handle: &Handle, job: &Job, run: RunId) -> Done {
    let standing = handle.call(Way::Cluster, "read Deployment", |world| {
        Ok(world.kubernetes.deployment.as_ref().map(|one| one.run))
    });
    let standing = standing.await?;
    let pods = handle.call(Way::Cluster, "list pods", |world| Ok(world.kubernetes.pods.len()));
    let pods = pods.await?;
    let left = handle.call(Way::Cluster, "list ConfigMaps", |world| {
        Ok(world.kubernetes.high_availability.keys().copied().collect::<Vec<_>>())
    });
    let left = left.await?;
    if let Some(owner) = standing {
        if owner == Some(run) {
            return Ok(Finding::Nothing);
        }
        let ours = owner.filter(|owner| {
            handle.look().database.run(*owner).is_some_and(|known| known.job == job.id)
        });
        let Some(ours) = ours else {
            return Err(failure(
                Kind::Conflict,
                "a Deployment that is not this job's stands there",
            ));
        };
        delete_once(handle, ours).await?;
        return Err(failure(
            Kind::Unavailable,
            "the Deployment of an earlier run is being removed",
        ));
    }
    if pods > 0 {
        return Err(failure(Kind::Unavailable, "pods of an earlier run are still there"));
    }
    let earlier = handle
        .look()
        .database
        .runs
        .iter()
        .any(|known| known.job == job.id && known.rendered && known.id != run);
    if !earlier && !left.is_empty() {
        return Err(failure(Kind::Conflict, "another's high-availability data stands there"));
    }
    for owner in left {
        delete_config_map(handle, owner).await?;
    }
    Ok(Finding::Nothing)
}

async fn delete_config_map(handle: &Handle, owner: Option<RunId>) -> Result<(), ActionFailure> {
    let delete = handle.call(Way::Cluster, "delete ConfigMap", |world| {
        invariants::data_deleted(world, owner);
        world.kubernetes.high_availability.remove(&owner);
        Ok(())
    });
    delete.await
}

async fn create_objects(handle: &Handle, run: RunId) -> Done {
    // The state that led here may be long over when the request arrives.
    let may = invariants::may_be_created(&handle.look(), run);
    let restore = run_of(handle, run).await?.restored;
    let create = handle.call(Way::Cluster, "create Deployment", |world| {
        match &world.kubernetes.deployment {
            Some(one) if one.run == Some(run) && !one.deleting => {}
            Some(_) => return Err(failure(Kind::Conflict, "the name is taken")),
            None => {
                invariants::created(world, run, may);
                world.kubernetes.create(Some(run), restore);
            }
        }
        Ok(Finding::Nothing)
    });
    create.await
}

async fn cancel_job(handle: &Handle, run: RunId) -> Done {
    let cancel = handle.call(Way::Cluster, "cancel job", |world| {
        if let Some(job) = job_manager(world)?.job.as_mut().filter(|job| job.run == run)
            && job.state.outcome().is_none()
        {
            job.state = flumen_lifecycle::FlinkState::Cancelling;
            job.all_tasks_run = false;
        }
        Ok(Finding::Nothing)
    });
    cancel.await
}

async fn save_outcome(handle: &Handle, job: &Job, run: RunId) -> Done {
    let outcome = match &job.status.state {
        State::Ending { outcome, .. } => *outcome,
        _ => Outcome::Unknown,
    };
    handle.call(Way::Cluster, "list pods", |_| Ok(())).await?;
    let told = handle.call(Way::Cluster, "ask for checkpoints", |world| checkpoints(world, run));
    if let Ok(Some(told)) = told.await {
        record(handle, run, told).await?;
    }
    let underway = job.status.savepoint.as_ref().filter(|one| one.run == run);
    if let Some(savepoint) = underway.filter(|one| one.path().is_none()) {
        let directory = directory_of(job, savepoint.operation);
        let found = handle.look().storage.savepoint_in(&directory);
        if let Some(path) = found {
            record_savepoint(handle, job, run, path).await?;
        }
    }
    let world = handle.look();
    let left = world.storage.results.get(&run).copied().filter(|_| world.storage.readable);
    Ok(match (outcome, left) {
        (Outcome::Unknown, Some(left)) => Finding::Outcome(left),
        _ => Finding::Nothing,
    })
}

/// Deletes the run's Deployment; says whether it is gone.
async fn delete_once(handle: &Handle, run: RunId) -> Result<bool, ActionFailure> {
    let delete = handle.call(Way::Cluster, "delete Deployment", |world| {
        let Some(one) = &mut world.kubernetes.deployment else { return Ok(true) };
        if one.run != Some(run) {
            return Err(failure(Kind::Conflict, "the Deployment is not the run's"));
        }
        one.deleting = true;
        world.kubernetes.publish();
        Ok(false)
    });
    delete.await
}

async fn delete_deployment(handle: &Handle, run: RunId) -> Done {
    for _ in 0..4 {
        match delete_once(handle, run).await {
            Ok(true) => return Ok(Finding::Nothing),
            Ok(false) => {}
            Err(taken) if taken.kind == Kind::Conflict => return Ok(Finding::Nothing),
            Err(error) => return Err(error),
        }
    }
    Err(failure(Kind::Unavailable, "the Deployment was deleted and is still there"))
}

async fn delete_data(handle: &Handle, run: RunId) -> Done {
    let standing = handle.call(Way::Cluster, "read Deployment", |world| {
        Ok(world.kubernetes.deployment.as_ref().map(|one| one.run))
    });
    if standing.await?.is_some_and(|owner| owner != Some(run)) {
        return Ok(Finding::Nothing);
    }
    let pods = handle.call(Way::Cluster, "list pods", |world| Ok(world.kubernetes.pods.len()));
    if pods.await? > 0 {
        return Err(failure(Kind::Unavailable, "pods of the run are still there"));
    }
    let left = handle.call(Way::Cluster, "list ConfigMaps", |world| {
        Ok(world.kubernetes.high_availability.keys().copied().collect::<Vec<_>>())
    });
    for owner in left.await? {
        delete_config_map(handle, owner).await?;
    }
    Ok(Finding::Nothing)
}

async fn start_again(handle: &Handle, job: &Job, run: RunId) -> Done {
    let Some(job) = handle
        .call(Way::Database, "read job", |world| {
            Ok(world.database.job.clone().filter(|row| row.id == job.id))
        })
        .await?
    else {
        return Ok(Finding::Nothing);
    };
    let still = matches!(job.desired.intent, Intent::Run { run: wanted, .. } if wanted == run);
    let Some(next) = next_run(&job.desired, &job.status).filter(|_| still) else {
        return Ok(Finding::Nothing);
    };
    let (version, id) = (job.version, job.id);
    let write = handle.call(Way::Database, "write the next run", |world| {
        let (run, operation) = (world.new_run(), world.new_operation());
        let intent = Intent::Run { run, handover: Handover::Cancel };
        let desired = Desired {
            intent,
            operation: Some(operation),
            savepoint: None,
            attempt: next.attempt,
            ..job.desired
        };
        update(world, (id, version), desired, ("restart", operation), Some((run, From::Latest)))
    });
    write.await?;
    handle.world().wake(handle.server, 0);
    Ok(Finding::Nothing)
}

/// Changes what is wanted of a job if nobody did since, with its operation and its run; all or nothing.
pub(crate) fn update(
    world: &mut World,
    (id, version): (flumen_model::JobId, i64),
    desired: Desired,
    (kind, operation): (&'static str, OperationId),
    run: Option<(RunId, From)>,
) -> Result<(), ActionFailure> {
    let row = world.database.job.as_mut().filter(|row| row.id == id && row.version == version);
    let Some(row) = row else { return Err(failure(Kind::Conflict, "changed by someone else")) };
    row.desired = desired;
    row.version += 1;
    let told = format!("{kind} {operation}: {:?}", row.desired.intent);
    world.database.operations.insert(operation, Operation { result: None });
    if let Some((run, from)) = run {
        world.tell(|_| format!("run {} is to start from {from:?}", short(Some(run))));
        world.database.runs.push(Run {
            id: run,
            job: id,
            from,
            restored: None,
            rendered: false,
            outcome: None,
        });
    }
    world.tell(|_| format!("wanted: {told}"));
    Ok(())
}

async fn forget(handle: &Handle, job: &Job) -> Done {
    let id = job.id;
    let delete = handle.call(Way::Database, "delete job", |world| {
        invariants::forgotten(world);
        let runs: Vec<RunId> =
            world.database.runs.iter().filter(|run| run.job == id).map(|run| run.id).collect();
        for run in runs {
            world.storage.checkpoints.remove(&run);
        }
        if world.database.job.as_ref().is_some_and(|row| row.id == id) {
            world.database.job = None;
        }
        Ok(Finding::Nothing)
    });
    delete.await
}
