use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What Flink said of a running job at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// When it said so.
    pub observed_at: Timestamp,
    /// Flink's own state of the job, such as `RUNNING`.
    pub state: String,
    /// The greatest parallelism of a vertex.
    pub parallelism: u32,
    /// How many TaskManagers have registered.
    pub task_managers: u32,
    /// How many tasks are in which of Flink's states.
    pub tasks: BTreeMap<String, u32>,
    /// The operators as Flink chained them, sources first.
    pub vertices: Vec<Vertex>,
}

/// A chain of operators that runs as one task per slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Vertex {
    /// Flink's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Flink's state of it.
    pub state: String,
    /// How many tasks it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// How many of them are in which of Flink's states.
    pub tasks: BTreeMap<String, u32>,
    /// Records read, since its start.
    pub records_in: u64,
    /// Records written, since its start.
    pub records_out: u64,
    /// Bytes read, since its start.
    pub bytes_in: u64,
    /// Bytes written, since its start.
    pub bytes_out: u64,
    /// Records read per second, over the last two looks; absent after the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_in_per_second: Option<f64>,
    /// Records written per second, over the last two looks; absent after the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_out_per_second: Option<f64>,
}
