use std::time::Duration;

use flumen_model::ByteSize;
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{Call, call, wire};

/// The cluster at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Overview {
    /// TaskManagers that have registered.
    #[serde(rename = "taskmanagers")]
    pub task_managers: u32,
    /// Slots of all TaskManagers.
    pub slots_total: u32,
    /// Slots that no task has.
    pub slots_available: u32,
    /// Jobs that are not at an end.
    pub jobs_running: u32,
    /// Jobs that finished.
    pub jobs_finished: u32,
    /// Jobs that were cancelled.
    pub jobs_cancelled: u32,
    /// Jobs that failed.
    pub jobs_failed: u32,
    /// The Flink version as the cluster says it, for example `1.20.5`.
    pub flink_version: String,
    /// The commit it was built from.
    #[serde(default, deserialize_with = "wire::text")]
    pub flink_commit: Option<String>,
}

/// What the JobManager tells its dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// How old the answers about one job may be.
    #[serde(default, deserialize_with = "wire::span")]
    pub refresh_interval: Duration,
    /// The Flink version, for example `1.20.5`.
    pub flink_version: String,
    /// Commit and date of the build.
    #[serde(default, deserialize_with = "wire::text")]
    pub flink_revision: Option<String>,
    /// What the cluster lets its REST clients do.
    #[serde(default)]
    pub features: Features,
}

/// What the cluster lets its REST clients do; false where the version does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[expect(clippy::struct_excessive_bools, reason = "the wire format has one flag per feature")]
pub struct Features {
    /// Jars can be uploaded and run: a session.
    pub web_submit: bool,
    /// The dashboard offers to cancel (1.14 and later).
    pub web_cancel: bool,
    /// The dashboard offers to rescale (1.18 and later).
    pub web_rescale: bool,
    /// A history server, not a JobManager (1.16 and later).
    pub web_history: bool,
}

/// A TaskManager as the JobManager sees it. In native mode its id is the name of its pod.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskManager {
    /// The id, in native mode the name of its pod.
    pub id: String,
    /// Slots that it has.
    pub slots_number: u32,
    /// Slots that no task has.
    pub free_slots: u32,
    /// The last time it was heard of.
    #[serde(default, rename = "timeSinceLastHeartbeat", deserialize_with = "wire::time")]
    pub last_heartbeat: Option<Timestamp>,
    /// The machine it runs on.
    pub hardware: Hardware,
}

/// The machine of a TaskManager.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hardware {
    /// Processors that the JVM sees.
    #[serde(default, deserialize_with = "wire::measure")]
    pub cpu_cores: Option<f64>,
    /// Memory of the machine.
    #[serde(default, deserialize_with = "wire::size")]
    pub physical_memory: Option<ByteSize>,
    /// Heap of the JVM.
    #[serde(default, deserialize_with = "wire::size")]
    pub free_memory: Option<ByteSize>,
    /// Flink's managed memory.
    #[serde(default, deserialize_with = "wire::size")]
    pub managed_memory: Option<ByteSize>,
}

/// Asks for slots, TaskManagers, numbers of jobs and the version.
pub fn overview() -> Call<Overview> {
    call::get("cluster overview", "/overview".into())
}

/// Asks for the version and for what the cluster offers.
pub fn config() -> Call<Config> {
    call::get("cluster configuration", "/config".into())
}

/// Asks for the TaskManagers. A cluster whose resource manager is not up yet is
/// [`Error::NotReady`](crate::Error::NotReady).
pub fn task_managers() -> Call<Vec<TaskManager>> {
    #[derive(Deserialize)]
    struct Answer {
        taskmanagers: Vec<TaskManager>,
    }
    impl From<Answer> for Vec<TaskManager> {
        fn from(answer: Answer) -> Self {
            answer.taskmanagers
        }
    }
    call::get_as::<Answer, _>("TaskManagers", "/taskmanagers".into())
}

/// Ends the whole cluster; running jobs end without a savepoint and HA data may stay behind.
pub fn shut_down() -> Call<()> {
    call::command("shutdown of the cluster", Method::DELETE, "/cluster".into())
}
