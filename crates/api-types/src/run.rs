use flumen_model::{ClusterId, FlinkVersion, Namespace, ReleaseId, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One start of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id.
    #[schema(value_type = String, example = "0192f0c1a0b17c3e8b8b1f4f4c7d5e21")]
    pub id: RunId,
    /// Which run of the job it is, from 1.
    pub number: u64,
    /// What was started.
    #[schema(value_type = String)]
    pub release: ReleaseId,
    /// The Flink version.
    #[schema(value_type = String, example = "1.20.5")]
    pub flink_version: FlinkVersion,
    /// The job's id in Flink, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flink_job_id: Option<String>,
    /// The Kubernetes namespace.
    #[schema(value_type = String, example = "default")]
    pub namespace: Namespace,
    /// The name of its Deployment.
    #[schema(value_type = String, example = "word-count")]
    pub cluster_id: ClusterId,
    /// The image that its pods run, by digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The snapshot that it began from; absent for empty state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When all its tasks ran for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it ended so, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The exception that made it fail, as Flink gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It did all its work.
    Finished,
    /// It failed.
    Failed,
    /// It was cancelled.
    Canceled,
    /// It was stopped with a savepoint.
    Stopped,
    /// How could not be found out.
    EndedUnknown,
}

impl Outcome {
    /// The outcome as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::Stopped => "STOPPED",
            Self::EndedUnknown => "ENDED_UNKNOWN",
        }
    }
}
