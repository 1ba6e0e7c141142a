//! One savepoint that was asked for, from the order to its place: by itself or as the way to end a run.

use std::time::Duration;

use super::{Course, Decision, because, course};
use crate::{
    Action, Desired, FlinkState, Intent, JobSeen, Savepoint, SavepointSeenProgress, SavepointStep,
    SavepointWish, Status,
};

/// How often to look at a savepoint that is under way, beside what the tracker sees.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Takes over what Flink says of the savepoint that is awaited.
pub(super) fn observe(status: &Status, job: &JobSeen) -> Status {
    let Some(savepoint) = &status.savepoint else { return status.clone() };
    let (SavepointStep::Await { trigger, .. }, Some(seen)) = (&savepoint.step, &job.savepoint)
    else {
        return status.clone();
    };
    if seen.trigger != *trigger {
        return status.clone();
    }
    match &seen.progress {
        SavepointSeenProgress::InProgress => status.clone(),
        SavepointSeenProgress::Completed { path } => {
            with_step(status, SavepointStep::Completed { path: path.clone() })
        }
        SavepointSeenProgress::Failed { reason } => {
            with_step(status, SavepointStep::Failed { reason: reason.clone() })
        }
        SavepointSeenProgress::Unknown => with_step(status, SavepointStep::Search),
    }
}

/// What to do for the savepoint while the job is there; nothing if none is wanted or under way.
pub(super) fn carry_on(desired: &Desired, status: &Status, job: &JobSeen) -> Option<Decision> {
    let course = course(desired, status);
    if course == Course::End {
        return None;
    }
    let Some(savepoint) = underway(status) else {
        if let Some(again) = runs_on(desired, status, course, job) {
            return Some(again);
        }
        let wish = wanted(desired, status, course)?;
        return Some(begin(status, job, wish));
    };
    let (run, operation) = (savepoint.run, savepoint.operation);
    Some(match &savepoint.step {
        SavepointStep::Trigger => {
            Decision::repeat(status, Action::TriggerSavepoint { run, operation })
        }
        SavepointStep::Search => Decision::repeat(status, Action::FindSavepoint { run, operation }),
        // Flink forgot it before it was taken: its JobManager restarted.
        SavepointStep::Absent if may_trigger(job) => Decision::repeat(
            &with_step(status, SavepointStep::Trigger),
            Action::TriggerSavepoint { run, operation },
        ),
        SavepointStep::Absent | SavepointStep::Await { .. } => {
            Decision { wake_in: Some(LOOK_AGAIN), ..Decision::stay(status) }
        }
        SavepointStep::Completed { .. } | SavepointStep::Failed { .. } => return None,
    })
}

/// The savepoint of a stop is complete and the job runs on: its JobManager died between the two, and the next
/// one went on from a checkpoint. The stop is ordered once more: what the job did since is not in the
/// savepoint. A look that still asked after the savepoint may have begun before it was complete.
fn runs_on(desired: &Desired, status: &Status, course: Course, job: &JobSeen) -> Option<Decision> {
    let known = status.savepoint.as_ref().filter(|known| known.stops && known.path().is_some())?;
    let wished = desired.savepoint.as_ref().is_some_and(|wish| wish.operation == known.operation);
    let stays = job.savepoint.is_none() && may_trigger(job);
    if course != Course::Stop || Some(known.run) != status.run || !wished || !stays {
        return None;
    }
    let (run, operation) = (known.run, known.operation);
    let reason =
        "the JobManager restarted before the job ended with its savepoint; it is stopped once more";
    let status = because(&with_step(status, SavepointStep::Trigger), reason);
    Some(Decision::repeat(&status, Action::TriggerSavepoint { run, operation }))
}

fn begin(status: &Status, job: &JobSeen, wish: &SavepointWish) -> Decision {
    let Some(run) = status.run else { return Decision::stay(status) };
    if !may_trigger(job) {
        let reason = "the savepoint is taken when all tasks run";
        return Decision::stay(&if status.reason.is_some() {
            status.clone()
        } else {
            because(status, reason)
        });
    }
    let savepoint = Savepoint {
        operation: wish.operation,
        run,
        stops: wish.stops,
        directory: wish.directory.clone(),
        step: SavepointStep::Trigger,
    };
    let status = Status { savepoint: Some(savepoint), ..status.clone() };
    Decision::repeat(&status, Action::TriggerSavepoint { run, operation: wish.operation })
}

/// The job finished while a stop was under way: did it end with the savepoint, or before?
pub(super) fn before_the_end(status: &Status) -> Option<Decision> {
    let savepoint = underway(status).filter(|savepoint| savepoint.stops)?;
    match &savepoint.step {
        // The order may have been heard though its answer was not.
        SavepointStep::Trigger | SavepointStep::Search => Some(search(status)),
        SavepointStep::Await { .. } => {
            Some(Decision { wake_in: Some(LOOK_AGAIN), ..Decision::stay(status) })
        }
        SavepointStep::Absent | SavepointStep::Completed { .. } | SavepointStep::Failed { .. } => {
            None
        }
    }
}

/// Nobody is left to be asked: the savepoint is looked for in storage before the run is given up.
pub(super) fn search_first(status: &Status) -> Option<Decision> {
    let savepoint = underway(status)?;
    if savepoint.step == SavepointStep::Absent {
        return None;
    }
    Some(search(status))
}

/// The pods of the run are gone: what was being taken until then is looked for once more.
pub(super) fn last_search(status: &Status) -> Status {
    match underway(status) {
        Some(_) => with_step(status, SavepointStep::Search),
        None => status.clone(),
    }
}

/// The search that is left to do.
pub(super) fn pending_search(status: &Status) -> Option<Action> {
    let Savepoint { run, operation, step, .. } = underway(status)?;
    (*step == SavepointStep::Search)
        .then_some(Action::FindSavepoint { run: *run, operation: *operation })
}

fn search(status: &Status) -> Decision {
    let status = with_step(status, SavepointStep::Search);
    match &status.savepoint {
        Some(Savepoint { run, operation, .. }) => {
            let action = Action::FindSavepoint { run: *run, operation: *operation };
            Decision::repeat(&status, action)
        }
        None => Decision::stay(&status),
    }
}

/// The savepoint of this run that may still be completed.
fn underway(status: &Status) -> Option<&Savepoint> {
    let savepoint = status.savepoint.as_ref()?;
    (savepoint.is_underway() && Some(savepoint.run) == status.run).then_some(savepoint)
}

/// The savepoint that is wished for and was not begun with.
fn wanted<'a>(desired: &'a Desired, status: &Status, course: Course) -> Option<&'a SavepointWish> {
    let wish = desired.savepoint.as_ref()?;
    let known = status.savepoint.as_ref().is_some_and(|known| known.operation == wish.operation);
    let of_this_run = match desired.intent {
        Intent::Run { run, .. } if status.run == Some(run) => !wish.stops,
        Intent::Run { .. } | Intent::Stop => wish.stops && course == Course::Stop,
        Intent::Rest | Intent::Cancel | Intent::Delete => false,
    };
    (!known && of_this_run).then_some(wish)
}

const fn may_trigger(job: &JobSeen) -> bool {
    matches!(job.state, FlinkState::Running) && job.all_tasks_run
}

fn with_step(status: &Status, step: SavepointStep) -> Status {
    let savepoint = status.savepoint.clone().map(|known| Savepoint { step, ..known });
    Status { savepoint, ..status.clone() }
}
