use flumen_model::{OperationId, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What Flumen knows of a job; stored after each decision, before its actions are carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Where the job is in its life.
    pub state: State,
    /// The newest run, also after it ended.
    pub run: Option<RunId>,
    /// Why it is so, in one plain sentence, where there is something to say.
    pub reason: Option<String>,
    /// Since when the cluster or the JobManager could not be asked, or did not have the job. The state
    /// is then the last one known.
    pub unreachable_since: Option<Timestamp>,
    /// When the start of the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the run was first seen running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_at: Option<Timestamp>,
    /// Whether the run has completed a checkpoint, or was started from a snapshot.
    #[serde(default)]
    pub checkpointed: bool,
    /// What the run was started from, until and after Flink said that it restored it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<Restore>,
    /// The newest savepoint that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<Savepoint>,
    /// Why Flumen itself ends the run, which then counts as failed and is not started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub giving_up: Option<String>,
    /// Whether the run was ended by someone else than Flumen.
    #[serde(default)]
    pub intervened: bool,
}

impl Status {
    /// The status of a job that was only defined.
    pub const fn new() -> Self {
        Self::of(State::New, None)
    }

    /// This state of this run, of which nothing else is known.
    pub const fn of(state: State, run: Option<RunId>) -> Self {
        Self {
            state,
            run,
            reason: None,
            unreachable_since: None,
            started_at: None,
            running_at: None,
            checkpointed: false,
            restore: None,
            savepoint: None,
            giving_up: None,
            intervened: false,
        }
    }
}

impl Default for Status {
    fn default() -> Self {
        Self::new()
    }
}

/// What a run was started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restore {
    /// The savepoint or checkpoint.
    pub path: String,
    /// Whether Flink said that it restored it.
    pub confirmed: bool,
}

/// A savepoint that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Savepoint {
    /// The operation that asked for it.
    pub operation: OperationId,
    /// The run that takes it.
    pub run: RunId,
    /// Whether the job ends with it.
    pub stops: bool,
    /// Under which directory it is written, also when the wish for it is no more. Default: the run's
    /// savepoint directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How far it is.
    pub step: SavepointStep,
}

impl Savepoint {
    /// Whether the run of this status ended with it, or is to.
    pub(crate) fn stopped(&self, status: &Status) -> bool {
        self.stops && Some(self.run) == status.run && self.path().is_some()
    }

    /// Whether it may still be completed.
    pub const fn is_underway(&self) -> bool {
        !matches!(self.step, SavepointStep::Completed { .. } | SavepointStep::Failed { .. })
    }

    /// Where it lies, once it is complete.
    pub fn path(&self) -> Option<&str> {
        match &self.step {
            SavepointStep::Completed { path } => Some(path),
            SavepointStep::Trigger
            | SavepointStep::Await { .. }
            | SavepointStep::Search
            | SavepointStep::Absent
            | SavepointStep::Failed { .. } => None,
        }
    }
}

/// How far a savepoint is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum SavepointStep {
    /// Flink is asked for it; whether it heard is not known yet.
    Trigger,
    /// Flink takes it.
    Await {
        /// The id to ask with.
        trigger: String,
        /// When Flink took the order.
        since: Timestamp,
    },
    /// Flink does not know of it any more; it is looked for among Flink's checkpoints and in storage.
    Search,
    /// It was looked for and is not there.
    Absent,
    /// It is complete.
    Completed {
        /// Where it lies.
        path: String,
    },
    /// It was not taken, and the job goes on as it was.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Where a job is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum State {
    /// Defined, never started.
    New,
    /// On the way to a running job.
    Starting {
        /// How far it is.
        step: StartStep,
        /// When the start began; from the creation of the objects on, when that was.
        since: Timestamp,
    },
    /// Flink has the job; what Flink says of it.
    Live {
        /// The state in Flink's words; never a final one.
        flink: crate::FlinkState,
        /// When this state was first seen.
        since: Timestamp,
    },
    /// The run is over or is being ended; the cluster is cleared away.
    Ending {
        /// How it ended.
        outcome: Outcome,
        /// How far it is.
        step: EndStep,
        /// When this step began.
        since: Timestamp,
    },
    /// Nothing of the run is left in the cluster.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// When the last of it was gone.
        at: Timestamp,
    },
    /// To be forgotten: the last thing that is stored of a job.
    Deleted,
}

impl State {
    /// The name under which the state is stored; see the `CHECK` of the table.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Starting { .. } => "starting",
            Self::Live { .. } => "live",
            Self::Ending { .. } => "ending",
            Self::Ended { .. } => "ended",
            Self::Deleted => "deleted",
        }
    }
}

/// The steps of a start, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartStep {
    /// The snapshot that the run starts from is looked for.
    Snapshot,
    /// The image is made and pushed.
    Image,
    /// The objects are rendered and written down.
    Render,
    /// What an earlier run left in the cluster is looked for and removed.
    Leftovers,
    /// The objects are created.
    Create,
    /// The JobManager is awaited; it was created at or after this time.
    JobManager,
}

/// The steps of an end, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndStep {
    /// Outcome, snapshots, exceptions and logs are saved while the pods still stand.
    Save,
    /// The Deployment is being deleted.
    Delete,
    /// The pods are awaited to be gone.
    Pods,
    /// Flink's high-availability data in the cluster is removed.
    HighAvailability,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// The program came to its end.
    Finished,
    /// It was stopped with a savepoint.
    Stopped,
    /// It failed; why is in the status' reason.
    Failed,
    /// Someone cancelled it.
    Canceled,
    /// It is gone and nobody saw how it ended.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Finished, Self::Stopped, Self::Failed, Self::Canceled, Self::Unknown];

    /// The word that it is stored as.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
        }
    }
}
