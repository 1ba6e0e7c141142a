use std::fmt;

use flumen_model::{
    ClusterId, EnvironmentName, FlinkVersion, JobName, JobSpec, Namespace, OperationId, ReleaseId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{JobState, Live, Run, Snapshot};

/// A job by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobReference {
    /// The environment.
    #[schema(value_type = String, example = "local")]
    pub environment: EnvironmentName,
    /// The job's name in it.
    #[schema(value_type = String, example = "word-count")]
    pub name: JobName,
}

impl fmt::Display for JobReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.environment, self.name)
    }
}

/// A job in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSummary {
    /// Where it runs.
    #[schema(value_type = String, example = "local")]
    pub environment: EnvironmentName,
    /// Its name.
    #[schema(value_type = String, example = "word-count")]
    pub name: JobName,
    /// What it is doing.
    pub state: JobState,
    /// Why, in one sentence, where the state does not speak for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when nobody could look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable_since: Option<Timestamp>,
    /// Since when it has this state.
    pub state_since: Timestamp,
    /// The Flink version of its definition.
    #[schema(value_type = String, example = "1.20.5")]
    pub flink_version: FlinkVersion,
    /// The release of its definition.
    #[schema(value_type = String)]
    pub release: ReleaseId,
    /// When the present or last run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the last run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// A job with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Where it runs.
    #[schema(value_type = String, example = "local")]
    pub environment: EnvironmentName,
    /// Its name.
    #[schema(value_type = String, example = "word-count")]
    pub name: JobName,
    /// The Kubernetes cluster that it runs in.
    pub cluster: String,
    /// The namespace in it.
    #[schema(value_type = String, example = "default")]
    pub namespace: Namespace,
    /// Its `kubernetes.cluster-id`, which stays.
    #[schema(value_type = String, example = "word-count")]
    pub cluster_id: ClusterId,
    /// The definition.
    #[schema(value_type = Object)]
    pub spec: JobSpec,
    /// Counts the changes of the definition and of what is wanted; the `ETag`.
    pub version: u64,
    /// What is wanted of it.
    pub desired: Desired,
    /// What it is doing.
    pub state: JobState,
    /// Why, in one sentence, where the state does not speak for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when nobody could look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable_since: Option<Timestamp>,
    /// Since when it has this state.
    pub state_since: Timestamp,
    /// When it was defined.
    pub created_at: Timestamp,
    /// When its definition was last changed.
    pub updated_at: Timestamp,
    /// The release of the present definition.
    #[schema(value_type = String)]
    pub release: ReleaseId,
    /// The present or last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The operation that asked last for what is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub operation: Option<OperationId>,
    /// The newest savepoint that was asked for: how far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<SavepointProgress>,
    /// The run that the restart policy calls for, when it is to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_restart: Option<NextRestart>,
    /// The newest snapshot that is recorded of the job; only where one job is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_snapshot: Option<Snapshot>,
    /// What Flink says now; only where `live=true` asked for it and Flink answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
}

impl Job {
    /// The job by its name.
    pub fn reference(&self) -> JobReference {
        JobReference { environment: self.environment.clone(), name: self.name.clone() }
    }
}

/// A savepoint that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavepointProgress {
    /// The operation that asked for it.
    #[schema(value_type = String, format = "uuid")]
    pub operation: OperationId,
    /// Whether the job ends with it.
    pub stops: bool,
    /// How far it is.
    pub state: SavepointState,
    /// When Flink began with it, while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Where it lies, once it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far a savepoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SavepointState {
    /// It is asked for or being taken.
    Underway,
    /// It is complete.
    Completed,
    /// It was not taken.
    Failed,
}

/// The run that follows one that failed, as the `restartPolicy` of the job says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NextRestart {
    /// When it begins.
    pub at: Timestamp,
    /// Which one in a row it is, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub attempts: u32,
}

/// What is wanted of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Desired {
    /// Nothing yet: it was defined and not started.
    Idle,
    /// That it runs, or ran to its end.
    Running,
    /// That it is stopped with a savepoint.
    Stopped,
    /// That it is cancelled.
    Canceled,
    /// That it is gone.
    Deleted,
}

impl Desired {
    /// The word as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Canceled => "canceled",
            Self::Deleted => "deleted",
        }
    }
}
