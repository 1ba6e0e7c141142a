use std::time::Duration;

use flumen_model::ByteSize;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{Call, JobId, call, wire};

/// What Flink writes as the path of a checkpoint that lies in the JobManager's memory.
const NOT_ADDRESSABLE: &str = "<checkpoint-not-externally-addressable>";

/// The checkpoints and savepoints of a job, of this JobManager process only.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Checkpoints {
    /// How many there were.
    pub counts: CheckpointCounts,
    /// The newest of each sort.
    pub latest: LatestCheckpoints,
    /// The last ones (`web.checkpoints.history`, 10), newest first.
    #[serde(deserialize_with = "wire::list")]
    pub history: Vec<Checkpoint>,
}

/// Numbers of checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct CheckpointCounts {
    /// Restores from a checkpoint or savepoint.
    pub restored: u64,
    /// All that were triggered.
    pub total: u64,
    /// Under way.
    pub in_progress: u64,
    /// Completed.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
}

/// The newest of each sort.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LatestCheckpoints {
    /// The newest completed checkpoint, also a savepoint that ended a job.
    #[serde(default)]
    pub completed: Option<Checkpoint>,
    /// The newest completed savepoint.
    #[serde(default)]
    pub savepoint: Option<Checkpoint>,
    /// The newest failed one.
    #[serde(default)]
    pub failed: Option<Checkpoint>,
    /// What the job was restored from last.
    #[serde(default)]
    pub restored: Option<Restored>,
}

/// How far a checkpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CheckpointStatus {
    /// Under way.
    InProgress,
    /// Complete and usable.
    Completed,
    /// Failed or discarded before it was complete.
    Failed,
    /// A word that no known version says.
    #[serde(other)]
    Unknown,
}

/// A checkpoint or a savepoint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Checkpoint {
    /// Its number in the job.
    pub id: u64,
    /// How far it is.
    pub status: CheckpointStatus,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// `CANONICAL` or `NATIVE`, of a savepoint (1.17 and later).
    #[serde(default, rename = "savepointFormat", deserialize_with = "wire::text")]
    pub savepoint_format: Option<String>,
    /// When it was begun.
    #[serde(deserialize_with = "wire::required_time")]
    pub trigger_timestamp: Timestamp,
    /// When the last task was done with it.
    #[serde(default, deserialize_with = "wire::time")]
    pub latest_ack_timestamp: Option<Timestamp>,
    /// What it takes to restore it.
    #[serde(default, deserialize_with = "wire::size")]
    pub state_size: Option<ByteSize>,
    /// What was written for it, less than the state where it is incremental (1.15 and later).
    #[serde(default, deserialize_with = "wire::size")]
    pub checkpointed_size: Option<ByteSize>,
    /// From the trigger to the last task.
    #[serde(default, deserialize_with = "wire::span")]
    pub end_to_end_duration: Duration,
    /// Tasks that take part.
    #[serde(default)]
    pub num_subtasks: u32,
    /// Tasks that are done with it.
    #[serde(default)]
    pub num_acknowledged_subtasks: u32,
    /// `CHECKPOINT`, `UNALIGNED_CHECKPOINT`, `SAVEPOINT` or `SYNC_SAVEPOINT` (1.12 and later).
    #[serde(default, deserialize_with = "wire::text")]
    pub checkpoint_type: Option<String>,
    /// Where it lies; none before it is complete, and for one in the JobManager's memory.
    #[serde(default, deserialize_with = "address")]
    pub external_path: Option<String>,
    /// Whether it was deleted again because newer ones took its place.
    #[serde(default)]
    pub discarded: bool,
    /// When it failed.
    #[serde(default, deserialize_with = "wire::time")]
    pub failure_timestamp: Option<Timestamp>,
    /// Why it failed.
    #[serde(default, deserialize_with = "wire::text")]
    pub failure_message: Option<String>,
}

/// What a job was restored from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Restored {
    /// The number of the checkpoint.
    pub id: u64,
    /// When.
    #[serde(deserialize_with = "wire::required_time")]
    pub restore_timestamp: Timestamp,
    /// Whether it was a savepoint.
    pub is_savepoint: bool,
    /// Where it lies.
    #[serde(default, deserialize_with = "address")]
    pub external_path: Option<String>,
}

/// How the job takes checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckpointsConfig {
    /// `exactly_once` or `at_least_once`.
    pub mode: String,
    /// The time between two; none: only on demand.
    #[serde(default, deserialize_with = "wire::limited_span")]
    pub interval: Option<Duration>,
    /// After which one is given up.
    #[serde(default, deserialize_with = "wire::limited_span")]
    pub timeout: Option<Duration>,
    /// The least time from the end of one to the begin of the next.
    #[serde(default, deserialize_with = "wire::span")]
    pub min_pause: Duration,
    /// How many may be under way at once.
    #[serde(default)]
    pub max_concurrent: u32,
    /// Whether they outlive the job.
    pub externalization: Externalization,
    /// For example `HashMapStateBackend` (1.12 and later).
    #[serde(default, deserialize_with = "wire::text")]
    pub state_backend: Option<String>,
    /// For example `FileSystemCheckpointStorage` (1.13 and later).
    #[serde(default, deserialize_with = "wire::text")]
    pub checkpoint_storage: Option<String>,
    /// Whether barriers overtake records (1.12 and later).
    #[serde(default)]
    pub unaligned_checkpoints: bool,
    /// How many in a row may fail before the job does (1.12 and later).
    #[serde(default)]
    pub tolerable_failed_checkpoints: i64,
}

/// Whether checkpoints outlive their job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Externalization {
    /// They are retained when the job fails.
    pub enabled: bool,
    /// They are deleted when the job is cancelled.
    pub delete_on_cancellation: bool,
}

/// Asks for the checkpoints of a job. A job without checkpointing, and one whose vertices are not yet
/// known, is [`Error::NotFound`](crate::Error::NotFound).
pub fn checkpoints(job: JobId) -> Call<Checkpoints> {
    call::get("checkpoints of the job", format!("/jobs/{job}/checkpoints"))
}

/// Asks how the job takes checkpoints. A job without checkpointing is
/// [`Error::NotFound`](crate::Error::NotFound).
pub fn checkpoints_config(job: JobId) -> Call<CheckpointsConfig> {
    call::get("checkpoint configuration of the job", format!("/jobs/{job}/checkpoints/config"))
}

fn address<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(wire::text(from)?.filter(|path| path != NOT_ADDRESSABLE))
}
