//! The controller's loop, as the crate `control` has it: load, decide, save, act, record, save, report.

use flumen_lifecycle::{
    Action, ActionFailure, EndStep, Progress, SavepointStep, StartStep, State, Status, progress,
    record, retry_delay, settle,
};
use flumen_model::Kind;

use crate::{
    database::Job,
    effects::{carry_out, record_savepoint},
    handle::Handle,
    invariants,
    tracker::Follow,
    world::{Way, failure},
};

const AFTER_FAULT: i64 = 2000;

enum Round {
    Again,
    Wait { wake_in: Option<i64> },
    Retry { may_pass: bool },
}

/// Brings the job as far as it gets now.
pub(crate) async fn bring_on(handle: Handle) {
    loop {
        let round = round(&handle).await;
        let mut world = handle.world();
        let server = handle.server;
        match round {
            Ok(Round::Again) => world.servers[server].failures = 0,
            Ok(Round::Wait { wake_in }) => {
                world.servers[server].failures = 0;
                if let Some(delay) = wake_in {
                    world.wake(server, delay);
                }
                return;
            }
            Ok(Round::Retry { may_pass }) => {
                world.servers[server].failures += 1;
                let delay = retry_delay(may_pass, world.servers[server].failures);
                world.wake(server, milliseconds(delay));
                return;
            }
            Err(_) => {
                world.wake(server, AFTER_FAULT);
                return;
            }
        }
    }
}

fn milliseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

async fn round(handle: &Handle) -> Result<Round, ActionFailure> {
    let server = handle.server;
    let load = handle.call(Way::Database, "load job", |world| Ok(world.database.job.clone()));
    let Some(mut job) = load.await? else { return Ok(Round::Wait { wake_in: None }) };
    let decision = {
        let mut world = handle.world();
        let observed = world.servers[server].index.observed(&world.place, job.status.run);
        let now = world.clock(server);
        let decision = (world.decide)(&job.desired, &job.status, &observed, now);
        invariants::decided(&mut world, server, &job, &observed, &decision);
        decision
    };
    let moved = decision.status.state != job.status.state;
    save(handle, &mut job, decision.status).await?;
    follow(handle, &job);
    let wake_in = decision.wake_in.map(milliseconds);
    let mut round = if moved { Round::Again } else { Round::Wait { wake_in } };
    for action in decision.actions {
        match act(handle, &mut job, action).await? {
            Done::Yes { moved } if moved => round = Round::Again,
            Done::Yes { .. } => {}
            Done::Gone => {
                handle.world().servers[server].ended = None;
                return Ok(Round::Wait { wake_in: None });
            }
            Done::Failed { may_pass } => return Ok(Round::Retry { may_pass }),
        }
    }
    report(handle, &job).await?;
    Ok(round)
}

/// Ends the operation when what it asked for is so, or cannot become so.
async fn report(handle: &Handle, job: &Job) -> Result<(), ActionFailure> {
    let Some(operation) = job.desired.operation else { return Ok(()) };
    if handle.look().servers[handle.server].ended == Some(operation) {
        return Ok(());
    }
    let result = match progress(&job.desired, &job.status) {
        Progress::Underway => return Ok(()),
        Progress::Succeeded => Ok(()),
        Progress::Failed { reason } => Err(reason),
    };
    let finish = handle.call(Way::Database, "finish operation", |world| {
        invariants::finished(world, job, operation, &result);
        if let Some(row) = world.database.operations.get_mut(&operation) {
            row.result.get_or_insert(result);
        }
        Ok(())
    });
    finish.await?;
    if let Some(desired) = settle(&job.desired, &job.status) {
        let write = handle.call(Way::Database, "settle", |world| {
            // Who wished for something else meanwhile has the last word.
            if let Some(row) = &mut world.database.job
                && (row.id, row.version) == (job.id, job.version)
            {
                row.desired = desired;
                row.version += 1;
            }
            Ok(())
        });
        write.await?;
        handle.world().wake(handle.server, 0);
    }
    handle.world().servers[handle.server].ended = Some(operation);
    Ok(())
}

enum Done {
    Yes { moved: bool },
    Gone,
    Failed { may_pass: bool },
}

async fn act(handle: &Handle, job: &mut Job, action: Action) -> Result<Done, ActionFailure> {
    handle.world().tell(|_| format!("server {}: {}", handle.server, action.name()));
    let result = carry_out(handle, job, action).await;
    let now = handle.look().clock(handle.server);
    let status = record(&job.status, action, result.as_ref(), now);
    let given_up = match &result {
        Ok(_) => false,
        Err(failure) => {
            let known = (&job.status.state, &job.status.savepoint);
            !failure.may_pass(action) && (&status.state, &status.savepoint) != known
        }
    };
    if matches!(action, Action::Forget) && result.is_ok() {
        if let Some(operation) = job.desired.operation {
            let finish = handle.call(Way::Database, "finish operation", |world| {
                if let Some(row) = world.database.operations.get_mut(&operation) {
                    row.result.get_or_insert(Ok(()));
                }
                Ok(())
            });
            finish.await?;
        }
        return Ok(Done::Gone);
    }
    let moved = status != job.status;
    save(handle, job, status).await?;
    Ok(match result {
        Err(failure) if !given_up => Done::Failed { may_pass: failure.may_pass(action) },
        Ok(_) | Err(_) => Done::Yes { moved },
    })
}

/// Stores a status that is different.
async fn save(handle: &Handle, job: &mut Job, status: Status) -> Result<(), ActionFailure> {
    if status == job.status {
        return Ok(());
    }
    let known = job.status.savepoint.as_ref().and_then(|known| known.path());
    if let Some(savepoint) = &status.savepoint
        && let Some(path) = savepoint.path().filter(|path| Some(*path) != known)
    {
        record_savepoint(handle, job, savepoint.run, path.to_owned()).await?;
    }
    let write = handle.call(Way::Database, "save status", |world| {
        let row = world
            .database
            .job
            .as_mut()
            .filter(|row| (row.id, row.status_version) == (job.id, job.status_version));
        let Some(row) = row else { return Err(failure(Kind::Conflict, "changed by another")) };
        row.status = status.clone();
        row.status_version += 1;
        let ended = match &status.state {
            State::New
            | State::Starting { .. }
            | State::Live { .. }
            | State::Ending { step: EndStep::Save, .. }
            | State::Deleted => None,
            State::Ending { outcome, .. } | State::Ended { outcome, .. } => Some(*outcome),
        };
        if let Some((run, outcome)) = status.run.zip(ended) {
            world.database.end_run(run, outcome);
        }
        invariants::saved(world, handle.server, job);
        Ok(())
    });
    write.await?;
    job.status_version += 1;
    job.status = status;
    Ok(())
}

/// Has the JobManager asked while the job is in the cluster.
fn follow(handle: &Handle, job: &Job) {
    let in_cluster = matches!(
        job.status.state,
        State::Starting { step: StartStep::JobManager, .. } | State::Live { .. }
    );
    let mut world = handle.world();
    let follow = &mut world.servers[handle.server].follow;
    let Some(run) = job.status.run.filter(|_| in_cluster) else {
        *follow = None;
        return;
    };
    let trigger = match job.status.savepoint.as_ref().map(|known| &known.step) {
        Some(SavepointStep::Await { trigger, .. }) => Some(trigger.clone()),
        Some(_) | None => None,
    };
    let restored = job.status.restore.as_ref().is_some_and(|restore| !restore.confirmed);
    match follow.as_mut().filter(|known| known.run == run) {
        Some(known) => {
            known.trigger = trigger;
            known.restored = restored;
        }
        None => *follow = Some(Follow::new(run, trigger, restored)),
    }
}
