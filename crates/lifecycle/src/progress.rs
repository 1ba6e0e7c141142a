use crate::{Desired, Intent, Outcome, State, Status};

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
    match (desired.intent, &status.state) {
        (Intent::Rest, _)
        | (Intent::Delete, State::Deleted)
        | (Intent::Cancel, State::Ended { .. } | State::New) => Progress::Succeeded,
        (Intent::Run { run }, _) if status.run != Some(run) => Progress::Underway,
        (Intent::Run { .. }, State::Live { flink, .. }) => {
            if matches!(flink, crate::FlinkState::Running) {
                Progress::Succeeded
            } else {
                Progress::Underway
            }
        }
        (Intent::Run { .. }, State::Ending { outcome, .. } | State::Ended { outcome, .. }) => {
            match outcome {
                Outcome::Finished => Progress::Succeeded,
                Outcome::Canceled => {
                    Progress::Failed { reason: "the job was cancelled before it ran".to_owned() }
                }
                Outcome::Failed | Outcome::Unknown => Progress::Failed {
                    reason: status
                        .reason
                        .clone()
                        .unwrap_or_else(|| "the job ended before it ran".to_owned()),
                },
            }
        }
        (Intent::Run { .. }, State::New | State::Starting { .. } | State::Deleted)
        | (
            Intent::Cancel,
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
