use flumen_model::{Kind, RunId};

/// An effect to cause. Each can be repeated at any time without harm: what it makes carries the run's
/// id, and what it removes is removed only if it carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
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
    /// Delete the job from the database.
    Forget,
}

impl Action {
    /// The name of the step, as it stands in an operation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BuildImage { .. } => "build-image",
            Self::RenderObjects { .. } => "render-objects",
            Self::RemoveLeftovers { .. } => "remove-leftovers",
            Self::CreateObjects { .. } => "create-objects",
            Self::CancelJob { .. } => "cancel-job",
            Self::SaveOutcome { .. } => "save-outcome",
            Self::DeleteDeployment { .. } => "delete-deployment",
            Self::DeleteHighAvailabilityData { .. } => "delete-high-availability-data",
            Self::Forget => "forget",
        }
    }

    /// The run it is about.
    pub const fn run(self) -> Option<RunId> {
        match self {
            Self::BuildImage { run }
            | Self::RenderObjects { run }
            | Self::RemoveLeftovers { run }
            | Self::CreateObjects { run }
            | Self::CancelJob { run }
            | Self::SaveOutcome { run }
            | Self::DeleteDeployment { run }
            | Self::DeleteHighAvailabilityData { run } => Some(run),
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
