//! What never happens, checked where it would happen.

use flumen_lifecycle::{
    ClusterContact, Decision, Intent, JobManagerContact, JobState, Observed, Outcome, StartStep,
    State, Status,
};
use flumen_model::{OperationId, RunId};

use crate::{database::Job, kubernetes::short, world::World};

/// No two Flink jobs of the job consume at once.
pub(crate) fn at_each_step(world: &mut World) {
    let mut consuming = world.consuming();
    let (Some(one), Some(other)) = (consuming.next(), consuming.next()) else { return };
    drop(consuming);
    // Flink's own lease keeps a second JobManager of one run waiting, unless someone deletes it.
    if one == other && world.facts.touched.contains(&one) {
        return;
    }
    let (one, other) = (short(Some(one)), short(Some(other)));
    world.violate(format!("runs {one} and {other} consume at once"));
}

/// While the server cannot look, nothing is begun and nobody is called gone.
pub(crate) fn decided(
    world: &mut World,
    server: usize,
    job: &Job,
    observed: &Observed,
    decision: &Decision,
) {
    let before = &job.status.state;
    let in_cluster =
        matches!(before, State::Live { .. } | State::Starting { step: StartStep::JobManager, .. });
    if !in_cluster {
        return;
    }
    let away = observed.cluster != ClusterContact::Reachable;
    if away && !(decision.actions.is_empty() && decision.status.state == *before) {
        world.violate(format!(
            "server {server} cannot look at the cluster, and decides {:?}, {:?}",
            decision.status.state, decision.actions
        ));
    }
    let gone = matches!(decision.status.state, State::Ending { outcome: Outcome::Unknown, .. });
    let without_job = observed.job_manager == JobManagerContact::Answers { job: None };
    let stands = job.status.run.is_some_and(|run| world.kubernetes.stands(run));
    // It may be made once more after someone deleted it, if the answer was lost or there is another server.
    let again = job.status.run.is_some_and(|run| world.facts.touched.contains(&run));
    if gone && stands && !without_job && !again && !world.facts.clocks_differ {
        let run = short(job.status.run);
        world.violate(format!("run {run} is called gone, and its Deployment stands untouched"));
    }
}

/// Whether the run is what the job is about to create.
pub(crate) fn may_be_created(world: &World, run: RunId) -> bool {
    let status = world.database.job.as_ref().map(|job| &job.status);
    !world.facts.ended.contains(&run)
        && status.is_some_and(|status| {
            status.run == Some(run) && matches!(status.state, State::Starting { .. })
        })
}

/// A run's Deployment comes into being.
pub(crate) fn created(world: &mut World, run: RunId, might: bool) {
    if may_be_created(world, run) {
        return;
    }
    // Nobody can call back a request that is on its way when another server ends the run.
    if might && world.habits.two_servers {
        world.facts.late.insert(run);
    } else {
        let run = short(Some(run));
        world.violate(format!("run {run} is created after it ended or was superseded"));
    }
}

/// A server deletes the high-availability data of `owner`.
pub(crate) fn data_deleted(world: &mut World, owner: Option<RunId>) {
    let Some(run) = owner.filter(|_| world.kubernetes.high_availability.contains_key(&owner))
    else {
        return;
    };
    // Two servers that clear up for one start at once are kept apart by nothing yet: one may list what the
    // other's run has just written. A lease on the job would.
    if world.kubernetes.stands(run) && !world.habits.two_servers {
        let run = short(owner);
        world.violate(format!("the state of run {run} is deleted under its Deployment"));
    }
}

/// A status was stored, over `before`.
pub(crate) fn saved(world: &mut World, server: usize, before: &Job) {
    let Some(row) = world.database.job.clone() else { return };
    let (old, new) = (&before.status, &row.status);
    world.tell(|_| {
        let shown = JobState::of(&row.desired, new);
        format!(
            "server {server} saves {shown}, run {}, {:?}, savepoint {:?}, reason {:?}",
            short(new.run),
            new.state,
            new.savepoint,
            new.reason
        )
    });
    let at_rest = |state: &State| matches!(state, State::New | State::Ended { .. });
    let run = short(old.run);
    if old.run == new.run && matches!(old.state, State::Ended { .. }) {
        if matches!(new.state, State::Starting { .. } | State::Live { .. }) {
            world.violate(format!("run {run} is started again"));
        }
    } else if old.run != new.run && !at_rest(&old.state) {
        world.violate(format!("run {run} is left alone in {:?}", old.state));
    }
    let Some(run) = new.run else { return };
    if old.giving_up.is_none() && new.giving_up.is_some() {
        let asked = new.restore.as_ref().map(|restore| restore.path.clone());
        let got = world.facts.first_restored.get(&run).cloned().flatten();
        let blames_restore =
            new.giving_up.as_ref().is_some_and(|reason| reason.contains("was to start from"));
        if blames_restore && asked == got && !world.facts.touched.contains(&run) {
            world.violate(format!(
                "run {} is given up though it restored {got:?} as it should",
                short(Some(run))
            ));
        }
    }
    if matches!(new.state, State::Ended { .. }) && !matches!(old.state, State::Ended { .. }) {
        ended(world, run);
    }
}

fn ended(world: &mut World, run: RunId) {
    let name = short(Some(run));
    let state = world.database.job.as_ref().map(|job| &job.status.state);
    if let Some(State::Ended { outcome, .. }) = state
        && let Some(noted) = world.database.run(run).and_then(|run| run.outcome)
        && noted != *outcome
    {
        let text = format!("run {name} ended as {outcome:?}, and {noted:?} is written down");
        world.violate(text);
    }
    if !world.facts.late.contains(&run) && !world.facts.taken {
        let stands = world.kubernetes.deployment.as_ref().is_some_and(|one| one.run == Some(run));
        let pod = world.kubernetes.pods.iter().any(|pod| pod.run == Some(run));
        if stands || pod {
            world.violate(format!("run {name} is called ended, and its cluster is still there"));
        }
    }
    if !world.facts.storage_was_away {
        let unknown = world
            .facts
            .completed
            .iter()
            .filter(|(_, _, path)| !world.facts.disowned.contains(path))
            .find(|(_, of, path)| *of == run && !world.database.knows(path))
            .cloned();
        if let Some((_, _, path)) = unknown {
            world.violate(format!("run {name} ended, and nobody knows of its savepoint {path}"));
        }
    }
    world.facts.ended.insert(run);
}

/// An operation ends, with what it says.
pub(crate) fn finished(
    world: &mut World,
    job: &Job,
    operation: OperationId,
    result: &Result<(), String>,
) {
    let superseded = world.database.job.as_ref().is_none_or(|row| row.version != job.version);
    let already = world.database.operations.get(&operation).is_none_or(|row| row.result.is_some());
    if superseded || already {
        return;
    }
    world.tell(|_| format!("operation {operation} ends: {result:?}"));
    let mut completed = world.facts.completed.iter().filter(|(of, _, _)| *of == operation);
    let lies = completed.clone().next().is_some();
    let known = completed.any(|(_, _, path)| world.database.knows(path));
    let own_wish = job.desired.savepoint.as_ref().filter(|wish| wish.operation == operation);
    let wrong = match (result, job.desired.intent) {
        (Ok(()), Intent::Run { .. }) if own_wish.is_some_and(|wish| !wish.stops) => {
            (!known).then(|| "a savepoint succeeded, and there is none".to_owned())
        }
        (Ok(()), Intent::Run { run, .. }) => started(world, &job.status, run),
        (Ok(()), Intent::Stop) if matches!(job.status.state, State::Ended { .. }) => {
            (!known).then(|| "a stop succeeded, and there is no savepoint".to_owned())
        }
        (Ok(()), Intent::Cancel) => nothing_left(world),
        (Err(reason), Intent::Stop) => {
            let stopped = job.status.run.is_some_and(|run| world.facts.stopped.contains(&run));
            // A JobManager that cannot even start any more is called failed without a look at the result.
            let crashed = reason.contains("ends again and again");
            let wrong = stopped && lies && !crashed && !world.facts.storage_was_away;
            wrong.then(|| format!("a stop failed ({reason}), and Flink stopped the job"))
        }
        (Ok(()), Intent::Rest | Intent::Stop | Intent::Delete) | (Err(_), _) => None,
    };
    if let Some(wrong) = wrong {
        world.violate(format!("operation {operation}: {wrong}"));
    }
}

fn started(world: &World, status: &Status, run: RunId) -> Option<String> {
    if !world.facts.ran.contains(&run) {
        return Some("a start succeeded, and the job never ran".to_owned());
    }
    let asked = status.restore.as_ref().map(|restore| restore.path.clone());
    let got = world.facts.first_restored.get(&run).cloned().flatten();
    // Two servers may each find and write down another snapshot; a lease would keep them apart.
    (asked != got && !world.habits.two_servers)
        .then(|| format!("a start from {asked:?} succeeded, and Flink restored {got:?}"))
}

fn nothing_left(world: &World) -> Option<String> {
    let left = left(world).filter(|_| world.facts.late.is_empty())?;
    Some(format!("it succeeded, and {left} is left"))
}

fn left(world: &World) -> Option<String> {
    // What another server created late for a run that is no longer the newest is nobody's until the next
    // start finds it. A lease on the job would keep it from being created.
    let newest = world.database.job.as_ref().and_then(|job| job.status.run);
    let late = world.facts.late.iter().any(|run| Some(*run) != newest);
    world.kubernetes.left().filter(|_| !world.facts.taken && !late)
}

/// The job is deleted from the database.
pub(crate) fn forgotten(world: &mut World) {
    if let Some(wrong) = nothing_left(world) {
        world.violate(format!("a deletion: {wrong}"));
    }
}

/// Whether everything is as it should be when no fault has happened for a while; if not, why.
pub(crate) fn at_peace(world: &World) -> Result<(), String> {
    let Some(job) = &world.database.job else {
        return left(world).map_or(Ok(()), |left| Err(format!("{left} is left")));
    };
    if let Some(operation) = job.desired.operation
        && !waits_for_nothing(world)
        && world.database.operations.get(&operation).is_some_and(|row| row.result.is_none())
    {
        return Err(format!("operation {operation} is not over"));
    }
    let shown = JobState::of(&job.desired, &job.status);
    match &job.status.state {
        State::New | State::Ended { .. } if shown.is_at_rest() => {
            left(world).map_or(Ok(()), |left| Err(format!("{shown}, and {left} is left")))
        }
        State::Live { flink, .. } => {
            let wanted = match job.desired.intent {
                Intent::Rest => true,
                Intent::Run { run, .. } => job.status.run == Some(run),
                Intent::Stop | Intent::Cancel | Intent::Delete => false,
            };
            let real = world
                .kubernetes
                .pods
                .iter()
                .filter(|pod| pod.run == job.status.run)
                .filter_map(|pod| pod.process.as_ref()?.job.as_ref())
                .any(|job| job.state == *flink && job.all_tasks_run);
            let reached = job.status.unreachable_since.is_none();
            let fine = wanted && real && reached;
            fine.then_some(()).ok_or_else(|| format!("{shown}, and {:?}", job.desired.intent))
        }
        // A pod that took the place of another looks like one whose program has not come to its job yet, and
        // that may take long: who wants an end there sets `startTimeout`, or cancels.
        State::Starting { step: StartStep::JobManager, .. } if waits_for_nothing(world) => Ok(()),
        state => Err(format!("{shown} as {state:?}")),
    }
}

/// Whether a JobManager that was never started again found the result of the run, and has no job for ever.
fn waits_for_nothing(world: &World) -> bool {
    let mut pods = world.kubernetes.pods.iter();
    let starting = world.database.job.as_ref().is_some_and(|job| {
        matches!(job.status.state, State::Starting { step: StartStep::JobManager, .. })
    });
    starting
        && pods.any(|pod| {
            pod.restarts == 0 && pod.process.as_ref().is_some_and(|process| process.jobless)
        })
}
