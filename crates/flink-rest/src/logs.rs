use flumen_model::ByteSize;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{Call, call, path, wire};

/// A log file of a JobManager or TaskManager.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogFile {
    /// Its name.
    pub name: String,
    /// Its length.
    #[serde(default, deserialize_with = "wire::size")]
    pub size: Option<ByteSize>,
    /// When it was written to last (1.15 and later).
    #[serde(default, rename = "mtime", deserialize_with = "wire::time")]
    pub modified: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Logs {
    logs: Vec<LogFile>,
}

impl From<Logs> for Vec<LogFile> {
    fn from(answer: Logs) -> Self {
        answer.logs
    }
}

/// Asks for the log files of the JobManager.
pub fn job_manager_logs() -> Call<Vec<LogFile>> {
    call::get_as::<Logs, _>("logs of the JobManager", "/jobmanager/logs".into())
}

/// Asks for a whole log file of the JobManager; Flink has no way to ask for a part of it.
pub fn job_manager_log(name: &str) -> Call<Vec<u8>> {
    call::get_bytes("log of the JobManager", format!("/jobmanager/logs/{}", path::escape(name)))
}

/// Asks for the log files of a TaskManager.
pub fn task_manager_logs(id: &str) -> Call<Vec<LogFile>> {
    let path = format!("/taskmanagers/{}/logs", path::escape(id));
    call::get_as::<Logs, _>("logs of the TaskManager", path)
}

/// Asks for a whole log file of a TaskManager.
pub fn task_manager_log(id: &str, name: &str) -> Call<Vec<u8>> {
    let path = format!("/taskmanagers/{}/logs/{}", path::escape(id), path::escape(name));
    call::get_bytes("log of the TaskManager", path)
}
