use flumen_model::{InterventionPolicy, OperationId, RestartPolicy, RunId, SavepointFormat};
use serde::{Deserialize, Serialize};

/// What the user wants of a job. Only operations edit it, and each carries the id of the operation
/// that did, so that the same wish arriving twice is one wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Desired {
    /// What should become of the job.
    pub intent: Intent,
    /// The operation that asked for it; none for a job that was never started.
    pub operation: Option<OperationId>,
    /// The savepoint that is asked for, by itself or on the way to what the intent says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<SavepointWish>,
    /// What follows a failure, as the job file says.
    #[serde(default)]
    pub restart: RestartPolicy,
    /// What follows when someone else ends a run, as the job file says.
    #[serde(default)]
    pub interventions: InterventionPolicy,
    /// How many runs in a row the restart policy has started; the wished one included.
    #[serde(default)]
    pub attempt: u32,
}

/// What should become of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Intent {
    /// Nothing: it was defined and not started.
    Rest,
    /// Run this run, which was written down before, with its release.
    Run {
        /// The run; a run that has ended is not started again.
        run: RunId,
        /// How an earlier run that is still there makes room.
        #[serde(default)]
        handover: Handover,
    },
    /// Be stopped with the wished savepoint, if it runs.
    Stop,
    /// Be cancelled, if it runs.
    Cancel,
    /// Be cancelled if it runs, and then be forgotten.
    Delete,
}

/// How a run makes room for the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handover {
    /// It is stopped with the wished savepoint; if that fails, it stays.
    Savepoint,
    /// It is cancelled; its retained checkpoints stay.
    #[default]
    Cancel,
}

/// A savepoint that is asked for. Its operation's id is the trigger and part of its directory, so a
/// repetition is the same savepoint, and one whose answer was lost is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavepointWish {
    /// The operation that asks for it.
    pub operation: OperationId,
    /// Whether the job ends with it.
    pub stops: bool,
    /// Under which directory. Default: the run's savepoint directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How it is written.
    #[serde(default)]
    pub format: SavepointFormat,
    /// Whether the sources end as if their input were over; of a stop only.
    #[serde(default)]
    pub drain: bool,
}

impl Desired {
    /// The wish of a job that was only defined.
    pub const fn rest() -> Self {
        Self::of(Intent::Rest, None)
    }

    /// This intent, with the policies of a job file that says nothing.
    pub const fn of(intent: Intent, operation: Option<OperationId>) -> Self {
        Self {
            intent,
            operation,
            savepoint: None,
            restart: RestartPolicy::STANDARD,
            interventions: InterventionPolicy::Accept,
            attempt: 0,
        }
    }
}
