//! CPU, memory, slots and replicas of a job over its configuration.

use flumen_flink_conf::{Configuration, render_size};
use flumen_model::Resources;

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

pub(super) fn write(resources: &Resources, configuration: &mut Configuration) {
    let minor = configuration.minor();
    let (job_manager, task_manager) = (&resources.job_manager, &resources.task_manager);
    if let Some(cores) = job_manager.cpu {
        configuration.set(keys::JOB_MANAGER_CPU.key(minor), cores);
    }
    if let Some(cores) = task_manager.cpu {
        configuration.set(keys::TASK_MANAGER_CPU.key(minor), cores);
    }
    if let Some(replicas) = job_manager.replicas {
        configuration.set(keys::REPLICAS, i64::from(replicas));
    }
    if let Some(slots) = task_manager.slots {
        configuration.set("taskmanager.numberOfTaskSlots", i64::from(slots));
    }
    if let Some(size) = job_manager.memory {
        configuration.set_text(JOB_MANAGER_PROCESS, render_size(size));
    } else if !JOB_MANAGER_SIZES.iter().any(|key| configuration.is_set(key)) {
        configuration.set_text(JOB_MANAGER_PROCESS, JOB_MANAGER_DEFAULT);
    }
    if let Some(size) = task_manager.memory {
        configuration.set_text(TASK_MANAGER_PROCESS, render_size(size));
    } else if !TASK_MANAGER_SIZES.iter().any(|key| configuration.is_set(key)) {
        configuration.set_text(TASK_MANAGER_PROCESS, TASK_MANAGER_DEFAULT);
    }
}
