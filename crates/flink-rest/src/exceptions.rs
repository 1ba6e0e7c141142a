use jiff::Timestamp;
use serde::Deserialize;

use crate::{Call, JobId, call, error::without_class, path, wire};

/// Why a job failed or restarted, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// The failures. Up to 1.12, and while a first restart is still under way, only the newest one.
    pub entries: Vec<Failure>,
    /// Whether there were more than Flink kept or was asked for.
    pub truncated: bool,
}

/// One failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class of the outermost exception, for example `java.lang.IllegalStateException`.
    pub class: String,
    /// The whole stack trace.
    pub stack_trace: String,
    /// When it was noticed.
    pub timestamp: Option<Timestamp>,
    /// The task that failed; none where the whole job did.
    pub task: Option<String>,
    /// Address of its TaskManager.
    pub location: Option<String>,
    /// Id of its TaskManager, in native mode the pod's name (1.17 and later).
    pub task_manager: Option<String>,
    /// Failures of other tasks at the same time.
    pub concurrent: Vec<Failure>,
}

impl Failure {
    /// The innermost cause in one line with its class. Flink wraps the program's exception in its own,
    /// and reports "Recovery is suppressed" beside the failure that led to it.
    pub fn cause(&self) -> &str {
        let suppressed = self.stack_trace.contains("Recovery is suppressed by ");
        match self.concurrent.first() {
            Some(task) if suppressed && !self.stack_trace.contains("\nCaused by: ") => task.cause(),
            _ => innermost_cause(&self.stack_trace),
        }
    }

    /// [`Failure::cause`] without the names of the Java classes: a sentence for people.
    pub fn message(&self) -> &str {
        without_class(self.cause())
    }
}

/// The exception of Flumen's SQL runner, whose message has all that is below it and the places in the script.
const OF_RUNNER: &str = "flumen.sql.Failure: ";

/// What the SQL runner says in a line of a stack trace.
pub fn said_by_runner(line: &str) -> Option<&str> {
    line.split_once(OF_RUNNER).map(|(_, said)| said.trim())
}

/// The line of a Java stack trace that says what happened first: what the SQL runner says, else the last
/// `Caused by:`, else the top.
pub fn innermost_cause(stack_trace: &str) -> &str {
    if let Some(said) = stack_trace.lines().filter_map(said_by_runner).next_back() {
        return said;
    }
    stack_trace
        .lines()
        .filter_map(|line| line.strip_prefix("Caused by: "))
        .next_back()
        .or_else(|| stack_trace.lines().find(|line| !line.trim().is_empty()))
        .unwrap_or_default()
        .trim()
}

/// Asks for the newest `max` failures of a job.
pub fn exceptions(job: JobId, max: u32) -> Call<Exceptions> {
    let query = path::query([("maxExceptions", max.to_string())]);
    call::get_as::<Answer, _>("exceptions of the job", format!("/jobs/{job}/exceptions{query}"))
}

/// `failure-cause` of asynchronous operations and of results.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FailureCause {
    class: String,
    #[serde(default)]
    stack_trace: String,
}

impl From<FailureCause> for Failure {
    fn from(cause: FailureCause) -> Self {
        Self {
            class: cause.class,
            stack_trace: cause.stack_trace,
            timestamp: None,
            task: None,
            location: None,
            task_manager: None,
            concurrent: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Answer {
    #[serde(default, deserialize_with = "wire::text")]
    root_exception: Option<String>,
    #[serde(default, deserialize_with = "wire::time")]
    timestamp: Option<Timestamp>,
    #[serde(default)]
    truncated: bool,
    #[serde(default, deserialize_with = "wire::list")]
    all_exceptions: Vec<OfTask>,
    #[serde(default, rename = "exceptionHistory")]
    history: Option<History>,
}

/// An entry of `all-exceptions`, which 2.0 dropped.
#[derive(Deserialize)]
struct OfTask {
    exception: String,
    #[serde(default, deserialize_with = "wire::text")]
    task: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    location: Option<String>,
    #[serde(default, deserialize_with = "wire::time")]
    timestamp: Option<Timestamp>,
    #[serde(default, rename = "taskManagerId", deserialize_with = "wire::text")]
    task_manager: Option<String>,
}

#[derive(Deserialize)]
struct History {
    entries: Vec<Entry>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    exception_name: String,
    #[serde(default, deserialize_with = "wire::text")]
    stacktrace: Option<String>,
    #[serde(default, deserialize_with = "wire::time")]
    timestamp: Option<Timestamp>,
    #[serde(default, deserialize_with = "wire::text")]
    task_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    location: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    endpoint: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    task_manager_id: Option<String>,
    #[serde(default, deserialize_with = "wire::list")]
    concurrent_exceptions: Vec<Entry>,
}

impl From<Entry> for Failure {
    fn from(entry: Entry) -> Self {
        Self {
            stack_trace: entry.stacktrace.unwrap_or_else(|| entry.exception_name.clone()),
            class: entry.exception_name,
            timestamp: entry.timestamp,
            task: entry.task_name,
            location: entry.endpoint.or(entry.location),
            task_manager: entry.task_manager_id,
            concurrent: entry.concurrent_exceptions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<OfTask> for Failure {
    fn from(of: OfTask) -> Self {
        Self {
            class: class_of(&of.exception),
            stack_trace: of.exception,
            timestamp: of.timestamp,
            task: of.task,
            location: of.location,
            task_manager: of.task_manager,
            concurrent: Vec::new(),
        }
    }
}

impl From<Answer> for Exceptions {
    fn from(answer: Answer) -> Self {
        let (entries, truncated) = match answer.history {
            Some(history) => (history.entries, history.truncated),
            None => (Vec::new(), answer.truncated),
        };
        let mut entries: Vec<Failure> = entries.into_iter().map(Into::into).collect();
        if entries.is_empty()
            && let Some(stack_trace) = answer.root_exception
        {
            entries.push(Failure {
                class: class_of(&stack_trace),
                stack_trace,
                timestamp: answer.timestamp,
                task: None,
                location: None,
                task_manager: None,
                concurrent: answer.all_exceptions.into_iter().map(Into::into).collect(),
            });
        }
        Self { entries, truncated }
    }
}

fn class_of(stack_trace: &str) -> String {
    let line = stack_trace.lines().next().unwrap_or_default();
    line.split(':').next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sql_runner_says_is_the_cause() {
        let trace = "org.apache.flink.X: failed\n\tat a.B.c(B.java:1)\n\
                     Caused by: flumen.sql.Failure: line 3, column 7: no table b\n\
                     Caused by: org.apache.calcite.Y: no table b\n\t... 4 more";
        assert_eq!(innermost_cause(trace), "line 3, column 7: no table b");
        assert_eq!(
            innermost_cause(&trace.replace("flumen.sql", "other")),
            "org.apache.calcite.Y: no table b"
        );
    }
}
