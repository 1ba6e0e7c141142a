use flumen_model::{OperationId, RunId, SnapshotId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::JobReference;

/// A savepoint or a checkpoint that Flink completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: SnapshotId,
    /// What it is.
    pub kind: SnapshotKind,
    /// Why it was made.
    pub cause: SnapshotCause,
    /// The job that it is of, which may have been deleted since.
    pub job: JobReference,
    /// The run that made it.
    #[schema(value_type = String)]
    pub run: RunId,
    /// The operation that asked for it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub operation: Option<OperationId>,
    /// Flink's number of it in the run, if Flink told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// `canonical` or `native`, of a savepoint, if Flink told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Where it lies, as Flink sees it.
    #[schema(example = "s3://bucket/savepoints/savepoint-0192f0-1f4f4c7d5e21")]
    pub path: String,
    /// How large its state is in bytes, if Flink told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// How long it took in milliseconds, if Flink told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// When it was begun, if Flink told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggered_at: Option<Timestamp>,
    /// When it was complete, or when that was heard of.
    pub completed_at: Timestamp,
}

/// What a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SnapshotKind {
    /// Flink's own, which it deletes when newer ones take its place.
    Checkpoint,
    /// Someone asked for it, and it stays.
    Savepoint,
}

impl SnapshotKind {
    /// The kind as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Savepoint => "savepoint",
        }
    }
}

/// Why a snapshot was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SnapshotCause {
    /// The checkpoint interval.
    Periodic,
    /// An operation that asked for a savepoint.
    Savepoint,
    /// An operation that stopped the job with it.
    Stop,
    /// Someone else than Flumen.
    Other,
}

impl SnapshotCause {
    /// The cause as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Savepoint => "savepoint",
            Self::Stop => "stop",
            Self::Other => "other",
        }
    }
}
