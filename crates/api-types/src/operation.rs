use flumen_model::{FlinkVersion, Kind, OperationId, ProjectName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Change, JobReference};

/// One thing done to a job, a Flink version or a project, as a durable list of steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its id; later operations have greater ones.
    #[schema(value_type = String, format = "uuid")]
    pub id: OperationId,
    /// What is done.
    pub kind: OperationKind,
    /// The job that it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobReference>,
    /// The Flink version that it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1.20.5")]
    pub version: Option<FlinkVersion>,
    /// The project that it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "orders")]
    pub project: Option<ProjectName>,
    /// How far it is.
    pub state: OperationState,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Its steps, in the order in which they began.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Where the savepoint lies that it took, while that is recorded; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<String>,
    /// What an apply changed whose release had to be prepared; there as soon as that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<AppliedChange>,
}

/// What an operation changed that prepared a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppliedChange {
    /// What the new definition means for the job.
    pub change: Change,
    /// What is doubtful about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OperationKind {
    /// Makes a release of the job as it was given, and starts it where that was asked.
    Apply,
    /// Starts the job.
    Start,
    /// Stops the job with a savepoint.
    Stop,
    /// Cancels the job.
    Cancel,
    /// Ends the run of the job and starts another, by default with its state.
    Restart,
    /// Takes a savepoint of the running job.
    Savepoint,
    /// Ends the job and removes it.
    Delete,
    /// Makes a Flink version available.
    AddVersion,
    /// Builds a project.
    BuildProject,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Apply,
        Self::Start,
        Self::Stop,
        Self::Cancel,
        Self::Restart,
        Self::Savepoint,
        Self::Delete,
        Self::AddVersion,
        Self::BuildProject,
    ];

    /// The kind as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Cancel => "cancel",
            Self::Restart => "restart",
            Self::Savepoint => "savepoint",
            Self::Delete => "delete",
            Self::AddVersion => "addVersion",
            Self::BuildProject => "buildProject",
        }
    }
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OperationState {
    /// It goes on.
    Running,
    /// It did what it was asked for.
    Succeeded,
    /// It did not; `error` says why.
    Failed,
    /// A later operation took its place before it ended.
    Superseded,
    /// It was cancelled before it changed anything.
    Canceled,
}

impl OperationState {
    /// Whether nothing more comes.
    pub const fn has_ended(self) -> bool {
        !matches!(self, Self::Running)
    }

    /// The state as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Canceled => "canceled",
        }
    }
}

/// One step of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What is done, in a few words for people, such as `push image`.
    pub name: String,
    /// How far it is.
    pub state: StepState,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// What came of it or what it waits for, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum StepState {
    /// It goes on.
    Running,
    /// It is done.
    Succeeded,
    /// It failed; `error` says why.
    Failed,
    /// Not needed any more: another operation took the place of this one.
    Skipped,
}

impl StepState {
    /// Whether nothing more comes.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped)
    }
}

/// Why something failed that was not a request: an operation or a step of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What failed, on what, and why.
    pub message: String,
    /// What sort of failure it is, where a request would have been refused for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "notFound")]
    pub kind: Option<Kind>,
    /// The stable name of the failure, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What lies behind it, the nearest cause first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
