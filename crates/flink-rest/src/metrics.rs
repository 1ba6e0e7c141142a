use serde::Deserialize;

use crate::{Call, JobId, VertexId, call, path, wire};

/// The metrics of a task that tell how fast records go through it and what holds it up.
pub const THROUGHPUT: [&str; 5] = [
    "numRecordsInPerSecond",
    "numRecordsOutPerSecond",
    "busyTimeMsPerSecond",
    "backPressuredTimeMsPerSecond",
    "idleTimeMsPerSecond",
];

/// A metric and its value. Unknown names are left out of an answer; the JobManager fetches values at
/// most every 10 seconds and only while someone asks, so the first answers are empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Metric {
    /// Its name.
    pub id: String,
    /// Its value as Flink writes it; not every metric is a number.
    pub value: String,
}

impl Metric {
    /// The value as a number; none for a text and for NaN.
    pub fn number(&self) -> Option<f64> {
        self.value.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// A metric over all tasks of a vertex. What is not a finite number is none.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Aggregate {
    /// Its name.
    pub id: String,
    /// The least.
    #[serde(default, deserialize_with = "wire::measure")]
    pub min: Option<f64>,
    /// The greatest.
    #[serde(default, deserialize_with = "wire::measure")]
    pub max: Option<f64>,
    /// The mean.
    #[serde(default, deserialize_with = "wire::measure")]
    pub avg: Option<f64>,
    /// The sum.
    #[serde(default, deserialize_with = "wire::measure")]
    pub sum: Option<f64>,
    /// How unevenly it is spread, in percent (newer versions).
    #[serde(default, deserialize_with = "wire::measure")]
    pub skew: Option<f64>,
}

/// Asks for metrics of a job, for example `numRestarts`.
pub fn job_metrics(job: JobId, names: &[&str]) -> Call<Vec<Metric>> {
    let query = path::query([("get", names.join(","))]);
    call::get("metrics of the job", format!("/jobs/{job}/metrics{query}"))
}

/// Asks for metrics over all tasks of a vertex.
pub fn subtask_metrics(job: JobId, vertex: VertexId, names: &[&str]) -> Call<Vec<Aggregate>> {
    let query = path::query([("get", names.join(",")), ("agg", "min,max,avg,sum".to_owned())]);
    call::get(
        "metrics of the vertex",
        format!("/jobs/{job}/vertices/{vertex}/subtasks/metrics{query}"),
    )
}

/// Asks how fast records go through a vertex: the `sum` of the names in [`THROUGHPUT`] that begin with
/// `numRecords` is records per second.
pub fn vertex_throughput(job: JobId, vertex: VertexId) -> Call<Vec<Aggregate>> {
    subtask_metrics(job, vertex, &THROUGHPUT)
}
