use std::{collections::BTreeMap, time::Duration};

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    Call, Failure, JobId, JobState, TaskCounts, TaskState, VertexId, call,
    exceptions::FailureCause, jars::PlanNode, wire,
};

/// One line of the job overview.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobSummary {
    /// The job's id.
    #[serde(rename = "jid")]
    pub id: JobId,
    /// The name that the program gave it.
    pub name: String,
    /// Its state.
    pub state: JobState,
    /// When it was submitted.
    #[serde(default, deserialize_with = "wire::time")]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(default, deserialize_with = "wire::time")]
    pub end_time: Option<Timestamp>,
    /// How long it has run.
    #[serde(default, deserialize_with = "wire::span")]
    pub duration: Duration,
    /// When its state, or that of a task, changed last.
    #[serde(default, deserialize_with = "wire::time")]
    pub last_modification: Option<Timestamp>,
    /// Its tasks by state.
    #[serde(default)]
    pub tasks: TaskCounts,
}

/// A job with its vertices. Flink answers it from a copy that may be 3 seconds old.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobDetail {
    /// The job's id.
    #[serde(rename = "jid")]
    pub id: JobId,
    /// The name that the program gave it.
    pub name: String,
    /// Its state.
    pub state: JobState,
    /// `STREAMING` or `BATCH` (1.20 and later).
    #[serde(default, deserialize_with = "wire::text")]
    pub job_type: Option<String>,
    /// When it was submitted.
    #[serde(default, deserialize_with = "wire::time")]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(default, deserialize_with = "wire::time")]
    pub end_time: Option<Timestamp>,
    /// How long it has run.
    #[serde(default, deserialize_with = "wire::span")]
    pub duration: Duration,
    /// The JobManager's clock.
    #[serde(default, deserialize_with = "wire::time")]
    pub now: Option<Timestamp>,
    /// When it entered each state last; states that it never had are left out.
    #[serde(default, deserialize_with = "entered")]
    pub timestamps: BTreeMap<JobState, Timestamp>,
    /// The vertices, sources first.
    pub vertices: Vec<Vertex>,
    /// How the vertices hang together.
    #[serde(default)]
    plan: PlanOfJob,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
struct PlanOfJob {
    #[serde(default)]
    nodes: Vec<PlanNode>,
}

impl JobDetail {
    /// How the vertices hang together; empty before the graph is there.
    pub fn plan(&self) -> &[PlanNode] {
        &self.plan.nodes
    }

    /// The tasks of all vertices by state.
    pub fn tasks(&self) -> TaskCounts {
        let mut sum = TaskCounts::default();
        for TaskCounts {
            created,
            scheduled,
            deploying,
            initializing,
            running,
            finished,
            canceling,
            canceled,
            failed,
            reconciling,
        } in self.vertices.iter().map(|vertex| vertex.tasks)
        {
            sum.created += created;
            sum.scheduled += scheduled;
            sum.deploying += deploying;
            sum.initializing += initializing;
            sum.running += running;
            sum.finished += finished;
            sum.canceling += canceling;
            sum.canceled += canceled;
            sum.failed += failed;
            sum.reconciling += reconciling;
        }
        sum
    }
}

/// A vertex: a chain of operators that runs as one kind of task.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Vertex {
    /// The vertex's id.
    pub id: VertexId,
    /// The names of its operators.
    pub name: String,
    /// Tasks of this vertex; none while the batch scheduler has not decided (Flink writes -1).
    #[serde(default, deserialize_with = "wire::count")]
    pub parallelism: Option<u64>,
    /// How many it could have (1.13 and later).
    #[serde(default, rename = "maxParallelism", deserialize_with = "wire::count")]
    pub max_parallelism: Option<u64>,
    /// The state of its tasks as a whole.
    pub status: TaskState,
    /// When its first task was deployed.
    #[serde(default, deserialize_with = "wire::time")]
    pub start_time: Option<Timestamp>,
    /// When its last task ended.
    #[serde(default, deserialize_with = "wire::time")]
    pub end_time: Option<Timestamp>,
    /// How long it has run.
    #[serde(default, deserialize_with = "wire::span")]
    pub duration: Duration,
    /// Its tasks by state.
    #[serde(default)]
    pub tasks: TaskCounts,
    /// What went through it.
    #[serde(default)]
    pub metrics: VertexMetrics,
}

/// What went through a vertex since it started. Sources read 0 records and sinks write 0: only what
/// crosses between vertices counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct VertexMetrics {
    /// Bytes that came in.
    #[serde(deserialize_with = "wire::count")]
    pub read_bytes: Option<u64>,
    /// Records that came in.
    #[serde(deserialize_with = "wire::count")]
    pub read_records: Option<u64>,
    /// Bytes that went out.
    #[serde(deserialize_with = "wire::count")]
    pub write_bytes: Option<u64>,
    /// Records that went out.
    #[serde(deserialize_with = "wire::count")]
    pub write_records: Option<u64>,
    /// Whether every task has reported its incoming records.
    pub read_records_complete: bool,
    /// Whether every task has reported its outgoing records.
    pub write_records_complete: bool,
    /// Milliseconds that its tasks worked, all together (1.16 and later).
    #[serde(deserialize_with = "wire::measure")]
    pub accumulated_busy_time: Option<f64>,
    /// Milliseconds that its tasks waited for those behind them (1.16 and later).
    #[serde(deserialize_with = "wire::measure")]
    pub accumulated_backpressured_time: Option<f64>,
    /// Milliseconds that its tasks had nothing to do (1.16 and later).
    #[serde(deserialize_with = "wire::measure")]
    pub accumulated_idle_time: Option<f64>,
}

/// How an application or job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ApplicationStatus {
    /// It did all its work.
    Succeeded,
    /// It failed.
    Failed,
    /// Someone cancelled it.
    Canceled,
    /// Flink does not know, or a word that no known version says.
    #[serde(other)]
    Unknown,
}

/// The result of a job, or that it has none yet.
#[derive(Debug, Clone, PartialEq)]
pub enum ExecutionResult {
    /// The job has not ended.
    InProgress,
    /// The job has ended.
    Completed {
        /// How.
        status: ApplicationStatus,
        /// Why, where it failed.
        failure: Option<Failure>,
    },
}

/// A value that the program collected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Accumulator {
    /// Its name.
    pub name: String,
    /// The class of the accumulator.
    #[serde(rename = "type")]
    pub class: String,
    /// Its value as text.
    pub value: String,
}

/// Asks for all jobs of the cluster. The freshest source of their states.
pub fn jobs_overview() -> Call<Vec<JobSummary>> {
    #[derive(Deserialize)]
    struct Answer {
        jobs: Vec<JobSummary>,
    }
    impl From<Answer> for Vec<JobSummary> {
        fn from(answer: Answer) -> Self {
            answer.jobs
        }
    }
    call::get_as::<Answer, _>("job overview", "/jobs/overview".into())
}

/// Asks for one job with its vertices and plan.
pub fn job(job: JobId) -> Call<JobDetail> {
    call::get("job", format!("/jobs/{job}"))
}

/// Asks for the state of one job (1.16 and later; before, [`Error::NotOffered`](crate::Error::NotOffered)).
pub fn job_status(job: JobId) -> Call<JobState> {
    #[derive(Deserialize)]
    struct Answer {
        status: JobState,
    }
    impl From<Answer> for JobState {
        fn from(answer: Answer) -> Self {
            answer.status
        }
    }
    call::get_as::<Answer, _>("job status", format!("/jobs/{job}/status"))
}

/// Cancels a job: accepted at once, then the job is CANCELLING and CANCELED. Asking again for a job that
/// is cancelled is accepted too; one that ended otherwise is [`Error::Conflict`](crate::Error::Conflict).
pub fn cancel(job: JobId) -> Call<()> {
    call::command("cancellation of the job", Method::PATCH, format!("/jobs/{job}?mode=cancel"))
}

/// Asks how the job ended.
pub fn execution_result(job: JobId) -> Call<ExecutionResult> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default, rename = "job-execution-result")]
        result: Option<JobResult>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct JobResult {
        application_status: ApplicationStatus,
        #[serde(default)]
        failure_cause: Option<FailureCause>,
    }
    impl From<Answer> for ExecutionResult {
        fn from(answer: Answer) -> Self {
            match answer.result {
                None => Self::InProgress,
                Some(result) => Self::Completed {
                    status: result.application_status,
                    failure: result.failure_cause.map(Into::into),
                },
            }
        }
    }
    call::get_as::<Answer, _>("result of the job", format!("/jobs/{job}/execution-result"))
}

/// Asks for what the program collected.
pub fn accumulators(job: JobId) -> Call<Vec<Accumulator>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Answer {
        user_task_accumulators: Vec<Accumulator>,
    }
    impl From<Answer> for Vec<Accumulator> {
        fn from(answer: Answer) -> Self {
            answer.user_task_accumulators
        }
    }
    call::get_as::<Answer, _>("accumulators", format!("/jobs/{job}/accumulators"))
}

fn entered<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<JobState, Timestamp>, D::Error> {
    let all = BTreeMap::<JobState, i64>::deserialize(from)?;
    Ok(all
        .into_iter()
        .filter(|(_, milliseconds)| *milliseconds > 0)
        .filter_map(|(state, milliseconds)| {
            Some((state, Timestamp::from_millisecond(milliseconds).ok()?))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_vertex_whose_parallelism_is_not_decided_has_none() {
        let text = br#"{"jid":"39818d9fd5d54b7c944ce0dcf1c32b1d","name":"WordCount","state":"RUNNING","vertices":[
            {"id":"90bea66de1c231edf33913ecd54406c1","name":"counter","maxParallelism":2,"parallelism":-1,"status":"CREATED"}]}"#;
        let id = JobId::from_bits(1);
        let detail = job(id).parse(http::StatusCode::OK, text).expect("understood");
        assert_eq!(detail.vertices[0].parallelism, None);
    }
}
