use flumen_model::{EnvironmentName, ReleaseId, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::StartSource;

/// One start of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id, which is also the job's id in Flink where the version lets Flumen choose.
    #[schema(value_type = String, example = "0192f0c1a0b17c3e8b8b1f4f4c7d5e21")]
    pub id: RunId,
    /// Which run of the job it is, from 1.
    pub number: u64,
    /// What was started.
    #[schema(value_type = String)]
    pub release: ReleaseId,
    /// Where.
    #[schema(value_type = String, example = "local")]
    pub environment: EnvironmentName,
    /// The image that its pods run, by digest, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// From what it was to start: `latest`, `nothing` or a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "latest")]
    pub start_from: Option<StartSource>,
    /// The snapshot that was found for that; absent for empty state, and before it was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<String>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When Flink was first seen running it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_at: Option<Timestamp>,
    /// When its end was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it ended so, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The exceptions that Flink had at the end, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<String>,
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
