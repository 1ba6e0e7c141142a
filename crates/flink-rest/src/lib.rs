#![doc = include_str!("../README.md")]

mod call;
mod checkpoints;
mod cluster;
mod error;
mod exceptions;
mod ids;
mod jars;
mod jobs;
mod logs;
mod metrics;
mod path;
mod savepoints;
mod state;
mod trigger;
mod triggered;
mod wire;

pub use call::Call;
pub use checkpoints::{
    Checkpoint, CheckpointCounts, CheckpointStatus, Checkpoints, CheckpointsConfig,
    Externalization, LatestCheckpoints, Restored, checkpoints, checkpoints_config,
};
pub use cluster::{
    Config, Features, Hardware, Overview, TaskManager, config, overview, shut_down, task_managers,
};
pub use error::Error;
pub use exceptions::{Exceptions, Failure, exceptions, innermost_cause, said_by_runner};
pub use ids::{JobId, TriggerId, VertexId};
pub use jars::{
    Jar, JarId, JarRun, PlanNode, PlanNodeInput, delete_jar, jars, plan_jar, plan_jar_document,
    run_jar, upload_jar,
};
pub use jobs::{
    Accumulator, ApplicationStatus, ExecutionResult, JobDetail, JobSummary, Vertex, VertexMetrics,
    accumulators, cancel, execution_result, job, job_status, jobs_overview,
};
pub use logs::{LogFile, job_manager_log, job_manager_logs, task_manager_log, task_manager_logs};
pub use metrics::{Aggregate, Metric, THROUGHPUT, job_metrics, subtask_metrics, vertex_throughput};
pub use savepoints::{
    RestoreMode, SavepointFormat, SavepointRequest, SavepointStatus, StopRequest, savepoint_status,
    stop_with_savepoint, trigger_savepoint,
};
pub use state::{JobState, TaskCounts, TaskState};
pub use triggered::{
    CheckpointKind, DisposalStatus, TriggeredCheckpoint, disposal_status, dispose_savepoint,
    trigger_checkpoint, triggered_checkpoint,
};
