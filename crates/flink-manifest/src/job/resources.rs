//! CPU, memory, slots and replicas of a job over its configuration.

use flumen_flink_conf::{Layers, Value, render_size};
use flumen_model::{ByteSize, Resources};

use super::JobDeployment;
use crate::keys;

const JOB_MANAGER_PROCESS: &str = "jobmanager.memory.process.size";
const TASK_MANAGER_PROCESS: &str = "taskmanager.memory.process.size";

/// Flink has no built-in size; these are the ones of its distribution's configuration file.
const JOB_MANAGER_DEFAULT: &str = "1600m";
const TASK_MANAGER_DEFAULT: &str = "1728m";

/// Any of these settles the JobManager's memory.
const JOB_MANAGER_SIZES: [&str; 5] = [
    JOB_MANAGER_PROCESS,
    "jobmanager.memory.flink.size",
    "jobmanager.memory.heap.size",
    "jobmanager.heap.size",
    "jobmanager.heap.mb",
];
/// Any of these settles the TaskManagers' memory.
const TASK_MANAGER_SIZES: [&str; 5] = [
    TASK_MANAGER_PROCESS,
    "taskmanager.memory.flink.size",
    "taskmanager.memory.task.heap.size",
    "taskmanager.heap.size",
    "taskmanager.heap.mb",
];

/// Sizes where no layer says anything about a process's memory.
pub(super) fn defaults(layers: &Layers) -> Vec<(&'static str, &'static str)> {
    let effective = layers.resolve();
    let is_open = |keys: &[&str]| !keys.iter().any(|key| effective.entry(key).is_some());
    let job_manager =
        is_open(&JOB_MANAGER_SIZES).then_some((JOB_MANAGER_PROCESS, JOB_MANAGER_DEFAULT));
    let task_manager =
        is_open(&TASK_MANAGER_SIZES).then_some((TASK_MANAGER_PROCESS, TASK_MANAGER_DEFAULT));
    job_manager.into_iter().chain(task_manager).collect()
}

/// What the job asks for outside of its configuration.
pub(super) fn entries(deployment: &JobDeployment) -> Vec<(&'static str, Value)> {
    let minor = deployment.version.minor();
    let Resources { job_manager, task_manager } = &deployment.resources;
    let count = |number: Option<u32>| number.map(|number| Value::Integer(number.into()));
    let size = |size: Option<ByteSize>| size.map(|size| Value::Text(render_size(size)));
    [
        (keys::PARALLELISM, count(deployment.parallelism)),
        (keys::JOB_MANAGER_CPU.key(minor), job_manager.cpu.map(Value::Double)),
        (JOB_MANAGER_PROCESS, size(job_manager.memory)),
        (keys::REPLICAS, count(job_manager.replicas)),
        (keys::TASK_MANAGER_CPU.key(minor), task_manager.cpu.map(Value::Double)),
        (TASK_MANAGER_PROCESS, size(task_manager.memory)),
        ("taskmanager.numberOfTaskSlots", count(task_manager.slots)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect()
}
