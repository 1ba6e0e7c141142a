use flumen_model::{OperationId, RunId};
use serde::{Deserialize, Serialize};

/// What the user wants of a job. Only operations edit it, and each carries the id of the operation
/// that did, so that the same wish arriving twice is one wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// What should become of the job.
    pub intent: Intent,
    /// The operation that asked for it; none for a job that was never started.
    pub operation: Option<OperationId>,
}

/// What should become of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Intent {
    /// Nothing: it was defined and not started.
    Rest,
    /// Run this run, which was written down before, with its release.
    Run {
        /// The run; a run that has ended is not started again.
        run: RunId,
    },
    /// Be cancelled, if it runs.
    Cancel,
    /// Be cancelled if it runs, and then be forgotten.
    Delete,
}

impl Desired {
    /// The wish of a job that was only defined.
    pub const fn rest() -> Self {
        Self { intent: Intent::Rest, operation: None }
    }
}
