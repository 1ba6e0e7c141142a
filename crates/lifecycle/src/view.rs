use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Desired, FlinkState, Intent, Outcome, State, Status};

/// The state of a job in one word, as users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobState {
    /// Defined, never started.
    New,
    /// The image is made, the objects are created, the JobManager is awaited.
    Starting,
    /// Flink has the job and no task runs yet.
    Created,
    /// Flink runs it.
    Running,
    /// Flink starts it again after a failure.
    Restarting,
    /// Flink gave it up for the moment, to take it up again.
    Suspended,
    /// It is being cancelled.
    Canceling,
    /// It is over; logs are saved and its cluster is cleared away.
    Ending,
    /// It came to its end.
    Finished,
    /// It failed.
    Failed,
    /// It was cancelled.
    Canceled,
    /// It is gone and nobody saw how it ended.
    EndedUnknown,
    /// It is being deleted.
    Deleting,
}

impl JobState {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 13] = [
        Self::New,
        Self::Starting,
        Self::Created,
        Self::Running,
        Self::Restarting,
        Self::Suspended,
        Self::Canceling,
        Self::Ending,
        Self::Finished,
        Self::Failed,
        Self::Canceled,
        Self::EndedUnknown,
        Self::Deleting,
    ];

    /// The state that `status` shows to someone who knows what is wanted.
    pub fn of(desired: &Desired, status: &Status) -> Self {
        match (&status.state, desired.intent) {
            (State::Deleted, _) | (_, Intent::Delete) => Self::Deleting,
            // Asked for and not begun with: what is known is of an earlier run.
            (State::New | State::Ended { .. }, Intent::Run { run }) if status.run != Some(run) => {
                Self::Starting
            }
            (State::New, _) => Self::New,
            (State::Starting { .. } | State::Live { .. }, Intent::Cancel) => Self::Canceling,
            (State::Starting { .. }, _) => Self::Starting,
            (State::Live { flink, .. }, _) => Self::live(*flink),
            (State::Ending { .. }, _) => Self::Ending,
            (State::Ended { outcome, .. }, _) => match outcome {
                Outcome::Finished => Self::Finished,
                Outcome::Failed => Self::Failed,
                Outcome::Canceled => Self::Canceled,
                Outcome::Unknown => Self::EndedUnknown,
            },
        }
    }

    const fn live(flink: FlinkState) -> Self {
        match flink {
            FlinkState::Initializing | FlinkState::Created | FlinkState::Reconciling => {
                Self::Created
            }
            FlinkState::Running | FlinkState::Finished => Self::Running,
            FlinkState::Restarting | FlinkState::Failing | FlinkState::Failed => Self::Restarting,
            FlinkState::Suspended => Self::Suspended,
            FlinkState::Cancelling | FlinkState::Canceled => Self::Canceling,
        }
    }

    /// Whether nothing of the job is in a cluster in this state.
    pub const fn is_at_rest(self) -> bool {
        matches!(
            self,
            Self::New | Self::Finished | Self::Failed | Self::Canceled | Self::EndedUnknown
        )
    }

    /// The state as it is written everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Starting => "STARTING",
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Suspended => "SUSPENDED",
            Self::Canceling => "CANCELING",
            Self::Ending => "ENDING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::EndedUnknown => "ENDED_UNKNOWN",
            Self::Deleting => "DELETING",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
