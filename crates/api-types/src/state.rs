use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a job is doing, as far as Flumen knows. A job that cannot be reached keeps the state in which
/// it was last seen; `unreachableSince` says that it is not known to be so any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobState {
    /// Defined, never started.
    New,
    /// Its release is being made or its cluster is coming up.
    Starting,
    /// Flink accepted it; its tasks do not run yet.
    Created,
    /// Its tasks run.
    Running,
    /// Flink is starting it again after a failure.
    Restarting,
    /// Its JobManager lost leadership or is away; Flink resumes it.
    Suspended,
    /// A cancellation is under way.
    Canceling,
    /// A stop with savepoint is under way.
    Stopping,
    /// The run has ended; its logs are being saved and its objects removed.
    Ending,
    /// It did all its work.
    Finished,
    /// It failed; `reason` says why.
    Failed,
    /// It was cancelled.
    Canceled,
    /// It was stopped with a savepoint.
    Stopped,
    /// It ended, and how could not be found out.
    EndedUnknown,
    /// It is being removed.
    Deleting,
}

impl JobState {
    /// Every state, in the order in which a job may meet them.
    pub const ALL: [Self; 15] = [
        Self::New,
        Self::Starting,
        Self::Created,
        Self::Running,
        Self::Restarting,
        Self::Suspended,
        Self::Canceling,
        Self::Stopping,
        Self::Ending,
        Self::Finished,
        Self::Failed,
        Self::Canceled,
        Self::Stopped,
        Self::EndedUnknown,
        Self::Deleting,
    ];

    /// The state as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Starting => "STARTING",
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Suspended => "SUSPENDED",
            Self::Canceling => "CANCELING",
            Self::Stopping => "STOPPING",
            Self::Ending => "ENDING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::Stopped => "STOPPED",
            Self::EndedUnknown => "ENDED_UNKNOWN",
            Self::Deleting => "DELETING",
        }
    }

    /// Whether the run has ended for good.
    pub const fn has_ended(self) -> bool {
        matches!(
            self,
            Self::Finished | Self::Failed | Self::Canceled | Self::Stopped | Self::EndedUnknown
        )
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_the_same_text_in_json_and_in_tables() {
        for state in JobState::ALL {
            let json = serde_json::to_value(state).expect("a text");
            assert_eq!(json, state.as_str());
            assert_eq!(serde_json::from_value::<JobState>(json).ok(), Some(state));
        }
    }
}
