//! Users: what they may ask for, refused as the crate `control` refuses it. Each reads the job first and
//! writes what is wanted only if nobody did meanwhile.

use flumen_lifecycle::{Desired, Handover, Intent, JobState, SavepointWish, State, Status, settle};
use flumen_model::{InterventionPolicy, OperationId, RestartPolicy, RunId, SavepointFormat};
use jiff::SignedDuration;

use crate::{
    database::{From, Job},
    effects::update,
    handle::Handle,
    world::{Way, World},
};

type Change = (Desired, &'static str, Option<(RunId, From)>);

/// One user who does one thing.
pub(crate) async fn act(handle: Handle) {
    let read = handle.call(Way::Database, "user reads", |world| Ok(world.database.job.clone()));
    let Ok(job) = read.await else { return };
    let Some(job) = job else {
        let create = handle.call(Way::Database, "user creates", |world| {
            create(world);
            Ok(())
        });
        let _: Result<(), _> = create.await;
        return;
    };
    let change = {
        let mut world = handle.world();
        let operation = world.new_operation();
        wish(&mut world, &job, operation).map(|change| (operation, change))
    };
    let Some((operation, (desired, kind, run))) = change else { return };
    let write = handle.call(Way::Database, "user writes", |world| {
        update(world, (job.id, job.version), desired, (kind, operation), run)
    });
    let _: Result<(), _> = write.await;
    handle.world().wake(handle.server, 0);
}

/// A job that was only defined.
pub(crate) fn create(world: &mut World) {
    if world.database.job.is_some() {
        return;
    }
    let id = world.new_job();
    let mut desired = Desired::rest();
    desired.restart = policy(world);
    if world.random.one_in(3) {
        desired.interventions = InterventionPolicy::Restart;
    }
    world.database.job =
        Some(Job { id, desired, status: Status::new(), version: 1, status_version: 1 });
    let place = world.place.clone();
    for server in world.servers.iter_mut().filter(|server| server.alive) {
        server.index.register(place.clone(), id);
    }
    world.tell(|_| "a job is created".to_owned());
}

fn policy(world: &mut World) -> RestartPolicy {
    let attempts = world.random.pick(&[None, None, Some(0), Some(1), Some(2)]);
    let start_timeout = world.random.one_in(4).then(|| SignedDuration::from_secs(90));
    RestartPolicy { attempts, start_timeout, ..RestartPolicy::STANDARD }
}

/// What is wanted from now on; none if it is refused.
fn wish(world: &mut World, job: &Job, operation: OperationId) -> Option<Change> {
    let state = JobState::of(&job.desired, &job.status);
    let wanted = |intent| Desired {
        restart: job.desired.restart,
        interventions: job.desired.interventions,
        ..Desired::of(intent, Some(operation))
    };
    if state.is_at_rest() {
        let chance = world.random.below(10);
        if chance < 8 {
            let run = world.new_run();
            let intent = Intent::Run { run, handover: Handover::Cancel };
            return Some((wanted(intent), "start", Some((run, source(world, job)))));
        }
        return (chance == 9).then(|| (wanted(Intent::Delete), "delete", None));
    }
    let savepoint = |world: &mut World, stops| SavepointWish {
        operation,
        stops,
        directory: world.random.one_in(4).then(|| "file:/mine".to_owned()),
        format: SavepointFormat::Canonical,
        drain: false,
    };
    // Who ends each run before it runs sees little.
    let live = matches!(job.status.state, State::Live { .. });
    match world.random.below(if live { 14 } else { 60 }) {
        0..=2 => {
            may_take_savepoint(job, state)?;
            let savepoint = Some(savepoint(world, true));
            Some((Desired { savepoint, ..wanted(Intent::Stop) }, "stop", None))
        }
        3..=5 => {
            may_take_savepoint(job, state)?;
            let savepoint = Some(savepoint(world, false));
            let desired = Desired {
                operation: Some(operation),
                savepoint,
                ..settle(&job.desired, &job.status).unwrap_or_else(|| job.desired.clone())
            };
            Some((desired, "savepoint", None))
        }
        6..=8 => {
            let ends =
                [JobState::Ending, JobState::Canceling, JobState::Deleting, JobState::Stopping];
            if ends.contains(&state) {
                return None;
            }
            let stateful = live && world.random.one_in(2);
            if stateful {
                may_take_savepoint(job, state)?;
            }
            let run = world.new_run();
            let handover = if stateful { Handover::Savepoint } else { Handover::Cancel };
            let from = if stateful { From::Latest } else { source(world, job) };
            let savepoint = stateful.then(|| savepoint(world, true));
            let desired = Desired { savepoint, ..wanted(Intent::Run { run, handover }) };
            Some((desired, "restart", Some((run, from))))
        }
        9 | 10 if job.desired.intent != Intent::Delete => {
            Some((wanted(Intent::Cancel), "cancel", None))
        }
        11 => Some((wanted(Intent::Delete), "delete", None)),
        _ => None,
    }
}

fn source(world: &mut World, job: &Job) -> From {
    match world.random.below(6) {
        0 => From::Nothing,
        1 => {
            let of_job =
                world.database.snapshots.iter().filter(|one| one.job == job.id).collect::<Vec<_>>();
            if of_job.is_empty() {
                return From::Latest;
            }
            let paths: Vec<String> = of_job.iter().map(|one| one.path.clone()).collect();
            let index = world.random.index(paths.len());
            let held = world.storage.holds(&paths[index]);
            if held { From::Path(paths[index].clone()) } else { From::Latest }
        }
        _ => From::Latest,
    }
}

/// None where a savepoint is refused.
fn may_take_savepoint(job: &Job, state: JobState) -> Option<()> {
    let underway = job
        .status
        .savepoint
        .as_ref()
        .is_some_and(|known| known.is_underway() && Some(known.run) == job.status.run)
        || job.desired.savepoint.as_ref().is_some_and(|wish| {
            job.desired.operation == Some(wish.operation)
                && job
                    .status
                    .savepoint
                    .as_ref()
                    .is_none_or(|known| known.operation != wish.operation)
        });
    let live = matches!(job.status.state, State::Live { .. });
    let ending = matches!(state, JobState::Canceling | JobState::Deleting | JobState::Stopping);
    (live && !ending && !underway).then_some(())
}
