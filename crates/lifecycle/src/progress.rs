use crate::{
    Desired, EndStep, FlinkState, Handover, Intent, Outcome, Savepoint, SavepointStep,
    SavepointWish, State, Status,
};

/// How far an operation is, which is nothing but how far the job is from what the operation asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not there yet.
    Underway,
    /// What was asked for is so.
    Succeeded,
    /// It cannot become so any more.
    Failed {
        /// Why, in one plain sentence.
        reason: String,
    },
}

/// How far `status` is from what `desired` asks for.
pub fn progress(desired: &Desired, status: &Status) -> Progress {
    let own_wish =
        desired.savepoint.as_ref().filter(|wish| Some(wish.operation) == desired.operation);
    if let Some(reason) = own_wish.and_then(|wish| savepoint_failure(wish, status)) {
        return failed(reason);
    }
    match (desired.intent, &status.state) {
        (Intent::Rest, _)
        | (Intent::Delete, State::Deleted)
        | (Intent::Stop, State::New)
        | (Intent::Cancel, State::Ended { .. } | State::New) => Progress::Succeeded,
        (Intent::Run { run, .. }, _) if status.run != Some(run) => Progress::Underway,
        (Intent::Run { .. }, state) => match own_wish.filter(|wish| !wish.stops) {
            Some(wish) => savepoint(wish, status),
            None => run(status, state),
        },
        (Intent::Stop, State::Ended { outcome, .. }) => stop(*outcome, status),
        (
            Intent::Cancel | Intent::Stop,
            State::Starting { .. } | State::Live { .. } | State::Ending { .. } | State::Deleted,
        )
        | (
            Intent::Delete,
            State::New
            | State::Starting { .. }
            | State::Live { .. }
            | State::Ending { .. }
            | State::Ended { .. },
        ) => Progress::Underway,
    }
}

/// What is wanted of a job whose stop or replacement failed with its savepoint: that it goes on as it was.
/// None where nothing failed.
pub fn settle(desired: &Desired, status: &Status) -> Option<Desired> {
    let wish = desired.savepoint.as_ref().filter(|wish| wish.stops)?;
    savepoint_failure(wish, status)?;
    let intent = Intent::Run { run: status.run?, handover: Handover::Cancel };
    Some(Desired { intent, operation: None, savepoint: None, ..desired.clone() })
}

fn run(status: &Status, state: &State) -> Progress {
    match state {
        State::Live { flink: FlinkState::Running, .. } => {
            match (&status.giving_up, &status.restore) {
                (None, Some(restore)) if !restore.confirmed => Progress::Underway,
                (None, _) => Progress::Succeeded,
                (Some(reason), _) => failed(reason.clone()),
            }
        }
        // What is saved may say why.
        State::Ending {
            outcome: Outcome::Failed | Outcome::Unknown, step: EndStep::Save, ..
        } if status.giving_up.is_none() => Progress::Underway,
        State::Ending { outcome, .. } | State::Ended { outcome, .. } => match outcome {
            Outcome::Finished | Outcome::Stopped => Progress::Succeeded,
            Outcome::Canceled => failed(because(status, "the job was cancelled before it ran")),
            Outcome::Failed | Outcome::Unknown => {
                failed(because(status, "the job ended before it ran"))
            }
        },
        State::New | State::Starting { .. } | State::Live { .. } | State::Deleted => {
            Progress::Underway
        }
    }
}

fn stop(outcome: Outcome, status: &Status) -> Progress {
    match outcome {
        Outcome::Stopped => Progress::Succeeded,
        Outcome::Finished => failed("the job finished before it was stopped".to_owned()),
        Outcome::Canceled => failed("the job was cancelled before it was stopped".to_owned()),
        Outcome::Failed | Outcome::Unknown => {
            failed(because(status, "the job ended before it was stopped"))
        }
    }
}

fn savepoint(wish: &SavepointWish, status: &Status) -> Progress {
    let known = status.savepoint.as_ref().filter(|known| known.operation == wish.operation);
    if known.is_some_and(|known| known.path().is_some()) {
        return Progress::Succeeded;
    }
    match status.state {
        // It is looked for once more when nothing of the run is left.
        State::Ending { .. } if known.is_some_and(Savepoint::is_underway) => Progress::Underway,
        State::Ending { .. } | State::Ended { .. } | State::Deleted => {
            failed("the run ended before the savepoint was taken".to_owned())
        }
        State::New | State::Starting { .. } | State::Live { .. } => Progress::Underway,
    }
}

fn savepoint_failure(wish: &SavepointWish, status: &Status) -> Option<String> {
    let known = status.savepoint.as_ref().filter(|known| known.operation == wish.operation)?;
    let SavepointStep::Failed { reason } = &known.step else { return None };
    let ended = matches!(status.state, State::Ended { .. } | State::Ending { .. });
    // A run that ends all the same ends the operation in its own way.
    (!ended)
        .then(|| format!("the savepoint was not taken, and the job goes on as it was: {reason}"))
}

fn because(status: &Status, otherwise: &str) -> String {
    status.reason.clone().unwrap_or_else(|| otherwise.to_owned())
}

fn failed(reason: String) -> Progress {
    Progress::Failed { reason }
}
