use flumen_model::RunId;
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
    /// Since when the cluster or the JobManager could not be asked. The state is then the last one known.
    pub unreachable_since: Option<Timestamp>,
}

impl Status {
    /// The status of a job that was only defined.
    pub const fn new() -> Self {
        Self { state: State::New, run: None, reason: None, unreachable_since: None }
    }
}

impl Default for Status {
    fn default() -> Self {
        Self::new()
    }
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
        /// When the start began.
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
    /// Outcome, exceptions and logs are saved while the pods still stand.
    Save,
    /// The Deployment is being deleted.
    Delete,
    /// The pods are awaited to be gone.
    Pods,
    /// Flink's high-availability data in the cluster is removed.
    HighAvailability,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// The program came to its end.
    Finished,
    /// It failed; why is in the status' reason.
    Failed,
    /// Someone cancelled it.
    Canceled,
    /// It is gone and nobody saw how it ended.
    Unknown,
}
