use flumen_model::{Kind, OperationId, RunId};

/// An effect to cause. Each can be repeated at any time without harm: what it makes carries the run's
/// id, and what it removes is removed only if it carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Find the snapshot that the run starts from and see that it is whole.
    LocateSnapshot {
        /// The run.
        run: RunId,
    },
    /// Make the run's image and push it, unless it stands there already.
    BuildImage {
        /// The run.
        run: RunId,
    },
    /// Render the run's objects and write them down.
    RenderObjects {
        /// The run.
        run: RunId,
    },
    /// Remove what an earlier, ended run of the same job left in the cluster; refuse what is not ours.
    RemoveLeftovers {
        /// The run that is about to start.
        run: RunId,
    },
    /// Create the run's objects in the cluster.
    CreateObjects {
        /// The run.
        run: RunId,
    },
    /// Ask Flink for a savepoint of the run's job; with the operation's id, so that it is one however often
    /// it is asked for.
    TriggerSavepoint {
        /// The run.
        run: RunId,
        /// The operation that wants it.
        operation: OperationId,
    },
    /// Look for a savepoint whose answer was lost, among Flink's checkpoints and in storage.
    FindSavepoint {
        /// The run.
        run: RunId,
        /// The operation that wants it.
        operation: OperationId,
    },
    /// Ask Flink to cancel the run's job.
    CancelJob {
        /// The run.
        run: RunId,
    },
    /// Save outcome, exceptions and logs of the run.
    SaveOutcome {
        /// The run.
        run: RunId,
    },
    /// Delete the run's Deployment, and by it all that the Deployment owns.
    DeleteDeployment {
        /// The run.
        run: RunId,
    },
    /// Delete Flink's high-availability ConfigMaps of the run.
    DeleteHighAvailabilityData {
        /// The run.
        run: RunId,
    },
    /// Write down the run that follows this one by the restart policy, and wish for it.
    StartAgain {
        /// The run that failed.
        run: RunId,
    },
    /// Delete the job from the database.
    Forget,
}

impl Action {
    /// The name of the step, as it stands in an operation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocateSnapshot { .. } => "locate-snapshot",
            Self::BuildImage { .. } => "build-image",
            Self::RenderObjects { .. } => "render-objects",
            Self::RemoveLeftovers { .. } => "remove-leftovers",
            Self::CreateObjects { .. } => "create-objects",
            Self::TriggerSavepoint { .. } => "trigger-savepoint",
            Self::FindSavepoint { .. } => "find-savepoint",
            Self::CancelJob { .. } => "cancel-job",
            Self::SaveOutcome { .. } => "save-outcome",
            Self::DeleteDeployment { .. } => "delete-deployment",
            Self::DeleteHighAvailabilityData { .. } => "delete-high-availability-data",
            Self::StartAgain { .. } => "start-again",
            Self::Forget => "forget",
        }
    }

    /// The run it is about.
    pub const fn run(self) -> Option<RunId> {
        match self {
            Self::LocateSnapshot { run }
            | Self::BuildImage { run }
            | Self::RenderObjects { run }
            | Self::RemoveLeftovers { run }
            | Self::CreateObjects { run }
            | Self::TriggerSavepoint { run, .. }
            | Self::FindSavepoint { run, .. }
            | Self::CancelJob { run }
            | Self::SaveOutcome { run }
            | Self::DeleteDeployment { run }
            | Self::DeleteHighAvailabilityData { run }
            | Self::StartAgain { run } => Some(run),
            Self::Forget => None,
        }
    }
}

/// Why an action was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionFailure {
    /// What sort of failure; a transient one is tried again.
    pub kind: Kind,
    /// The whole reason in one paragraph.
    pub message: String,
}

impl ActionFailure {
    /// Whether the action may succeed by being tried again soon. A JobManager that has just restarted does
    /// not have its job yet.
    pub fn may_pass(&self, action: Action) -> bool {
        self.kind.is_transient()
            || (matches!(action, Action::TriggerSavepoint { .. }) && self.kind == Kind::NotFound)
    }
}

/// What an action that was carried out brought to light, where the status depends on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Finding {
    /// Nothing that was not known.
    #[default]
    Nothing,
    /// A better reason for the job's state than the one that is known.
    Reason(String),
    /// What the run starts from; none: empty state.
    Restore(Option<String>),
    /// The id under which Flink takes the savepoint.
    Trigger(String),
    /// Where the savepoint lies that was looked for; none: it is not there.
    Savepoint(Option<String>),
    /// How the run ended after all, of one whose end nobody saw.
    Outcome(crate::Outcome),
}
