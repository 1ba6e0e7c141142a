//! The one database: what a server that dies leaves to the next.

use std::collections::BTreeMap;

use flumen_lifecycle::{Desired, Outcome, Status};
use flumen_model::{JobId, OperationId, RunId};

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) desired: Desired,
    pub(crate) status: Status,
    pub(crate) version: i64,
    pub(crate) status_version: i64,
}

/// From what a run is to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    Nothing,
    Latest,
    Path(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) job: JobId,
    pub(crate) from: From,
    /// The snapshot that was located.
    pub(crate) restored: Option<String>,
    pub(crate) rendered: bool,
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) job: JobId,
    pub(crate) run: RunId,
    pub(crate) path: String,
    /// Flink's number of a checkpoint.
    pub(crate) number: Option<u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) result: Option<Result<(), String>>,
}

#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) job: Option<Job>,
    /// Oldest first.
    pub(crate) runs: Vec<Run>,
    /// Oldest first.
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) operations: BTreeMap<OperationId, Operation>,
}

impl Database {
    pub(crate) fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == id)
    }

    pub(crate) fn run_mut(&mut self, id: RunId) -> Option<&mut Run> {
        self.runs.iter_mut().find(|run| run.id == id)
    }

    /// What was written first stands, but for a savepoint that is found later.
    pub(crate) fn end_run(&mut self, id: RunId, outcome: Outcome) {
        let Some(run) = self.run_mut(id) else { return };
        let may_be_stopped = matches!(run.outcome, Some(Outcome::Unknown | Outcome::Finished));
        if run.outcome.is_none() || (may_be_stopped && outcome == Outcome::Stopped) {
            run.outcome = Some(outcome);
        }
    }

    pub(crate) fn knows(&self, path: &str) -> bool {
        self.snapshots.iter().any(|snapshot| snapshot.path == path)
    }

    pub(crate) fn record(&mut self, snapshot: Snapshot) {
        if !self.knows(&snapshot.path) {
            self.snapshots.push(snapshot);
        }
    }
}
