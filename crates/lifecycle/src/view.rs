use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Desired, FlinkState, Handover, Intent, Outcome, SavepointStep, State, Status, restart,
};

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
    /// Flink starts it again after a failure, or Flumen is about to.
    Restarting,
    /// Flink gave it up for the moment, to take it up again.
    Suspended,
    /// It is being cancelled.
    Canceling,
    /// It is being stopped with a savepoint.
    Stopping,
    /// It is over; logs are saved and its cluster is cleared away.
    Ending,
    /// It came to its end.
    Finished,
    /// It failed.
    Failed,
    /// It was cancelled.
    Canceled,
    /// It was stopped with a savepoint.
    Stopped,
    /// It is gone and nobody saw how it ended.
    EndedUnknown,
    /// It is being deleted.
    Deleting,
}

impl JobState {
    /// All states, in the order of a job's life.
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

    /// The state that `status` shows to someone who knows what is wanted.
    pub fn of(desired: &Desired, status: &Status) -> Self {
        match (&status.state, desired.intent) {
            (State::Deleted, _) | (_, Intent::Delete) => Self::Deleting,
            // Asked for and not begun with: what is known is of an earlier run.
            (State::New | State::Ended { .. }, Intent::Run { run, .. })
                if status.run != Some(run) =>
            {
                Self::Starting
            }
            (State::New, _) => Self::New,
            (State::Starting { .. } | State::Live { .. }, Intent::Cancel) => Self::Canceling,
            (State::Live { .. }, Intent::Run { run, handover: Handover::Cancel })
                if status.run != Some(run) =>
            {
                Self::Canceling
            }
            (State::Starting { .. }, _) => Self::Starting,
            (State::Live { .. }, _) if is_stopping(desired, status) => Self::Stopping,
            (State::Live { flink, .. }, _) => Self::live(*flink),
            (State::Ending { .. }, _) => Self::Ending,
            (State::Ended { .. }, _) if restart::next(desired, status).is_some() => {
                Self::Restarting
            }
            (State::Ended { outcome, .. }, _) => match outcome {
                Outcome::Finished => Self::Finished,
                Outcome::Stopped => Self::Stopped,
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
            Self::New
                | Self::Finished
                | Self::Failed
                | Self::Canceled
                | Self::Stopped
                | Self::EndedUnknown
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
}

/// Whether a stop with savepoint is wanted and has not failed.
fn is_stopping(desired: &Desired, status: &Status) -> bool {
    let Some(wish) = desired.savepoint.as_ref().filter(|wish| wish.stops) else { return false };
    let wanted = match desired.intent {
        Intent::Stop => true,
        Intent::Run { run, .. } => status.run != Some(run),
        Intent::Rest | Intent::Cancel | Intent::Delete => false,
    };
    let failed = status.savepoint.as_ref().is_some_and(|known| {
        known.operation == wish.operation && matches!(known.step, SavepointStep::Failed { .. })
    });
    wanted && !failed
}

impl fmt::Display for JobState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
