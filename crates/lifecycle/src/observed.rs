//! What was seen of a job, with when it was seen. Only what can change a decision is kept, so that two
//! equal values mean that nothing has changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything seen of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Whether the Kubernetes API answers.
    pub cluster: ClusterContact,
    /// When the newest complete look at the cluster's Deployments began; none if nobody has looked yet.
    pub looked: Option<Timestamp>,
    /// The job's Deployment, if there is one.
    pub deployment: Option<DeploymentSeen>,
    /// The newest deletion of a Deployment of the job that was seen to happen.
    pub deletion: Option<DeletionSeen>,
    /// The job's pods, JobManager and TaskManagers, sorted by name.
    pub pods: Vec<PodSeen>,
    /// What the JobManager's REST API says.
    pub job_manager: JobManagerContact,
}

impl Observed {
    /// Nothing was looked at yet.
    pub const fn nothing() -> Self {
        Self {
            cluster: ClusterContact::NotYet,
            looked: None,
            deployment: None,
            deletion: None,
            pods: Vec::new(),
            job_manager: JobManagerContact::NotYet,
        }
    }
}

/// Whether the Kubernetes API answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterContact {
    /// Nobody has looked yet.
    NotYet,
    /// The watch stands.
    Reachable,
    /// It does not answer.
    Unreachable {
        /// Since when.
        since: Timestamp,
    },
}

/// The deletion of a run's Deployment. The news of it may be late and arrive when the next run's is made
/// already, so it says nothing about any other run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletionSeen {
    /// The run whose Deployment it was.
    pub run: flumen_model::RunId,
    /// When it was heard of.
    pub at: Timestamp,
}

/// A Deployment, reduced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentSeen {
    /// The run whose id it carries; none if it was not made by Flumen.
    pub run: Option<flumen_model::RunId>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// `spec.replicas`.
    pub replicas: i32,
}

/// Which part of Flink a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// `component=jobmanager`.
    JobManager,
    /// `component=taskmanager`.
    TaskManager,
}

/// A pod, reduced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSeen {
    /// Its name.
    pub name: String,
    /// Which part of Flink it is.
    pub component: Component,
    /// Whether all its containers are ready.
    pub ready: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why it cannot be placed on a node, in the scheduler's words.
    pub unschedulable: Option<String>,
    /// Why its container waits, as reason and message, for example `ImagePullBackOff` and the rest.
    pub waiting: Option<(String, String)>,
    /// How often its container was started again.
    pub restarts: i32,
    /// The exit code of its container's newest end, now or before the newest restart.
    pub last_exit: Option<i32>,
}

/// What the JobManager's REST API says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobManagerContact {
    /// Nobody has asked yet.
    NotYet,
    /// It does not answer.
    NoAnswer {
        /// Since when.
        since: Timestamp,
    },
    /// It answers.
    Answers {
        /// The run's job, if it has it.
        job: Option<JobSeen>,
    },
}

/// The run's job as Flink shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSeen {
    /// Its state.
    pub state: FlinkState,
    /// The root cause of its failure in one line, if Flink names one.
    pub failure: Option<String>,
    /// Whether every task runs or has finished: only then Flink takes a savepoint.
    pub all_tasks_run: bool,
    /// Whether it has completed a checkpoint.
    pub checkpointed: bool,
    /// What Flink restored it from.
    pub restored: RestoredSeen,
    /// How far the savepoint is that was asked after, if one was.
    pub savepoint: Option<SavepointSeen>,
}

impl JobSeen {
    /// A job in this state of which nothing else was asked.
    pub const fn in_state(state: FlinkState) -> Self {
        Self {
            state,
            failure: None,
            all_tasks_run: matches!(state, FlinkState::Running | FlinkState::Finished),
            checkpointed: false,
            restored: RestoredSeen::NotAsked,
            savepoint: None,
        }
    }
}

/// What Flink says that it restored a job from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoredSeen {
    /// Nobody has asked.
    NotAsked,
    /// From nothing.
    Nothing,
    /// From this checkpoint or savepoint.
    From {
        /// Where it lies.
        path: String,
        /// Whether it is a checkpoint of the run itself, as after a restart of its JobManager.
        own: bool,
    },
}

/// A savepoint as Flink shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavepointSeen {
    /// The id that was asked with.
    pub trigger: String,
    /// How far it is.
    pub progress: SavepointSeenProgress,
}

/// How far a savepoint is, in Flink's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavepointSeenProgress {
    /// Under way.
    InProgress,
    /// Taken.
    Completed {
        /// Where it lies.
        path: String,
    },
    /// Not taken.
    Failed {
        /// Why.
        reason: String,
    },
    /// This JobManager knows of no such savepoint; another may have taken it.
    Unknown,
}

/// Flink's `JobStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FlinkState {
    /// The JobManager is being set up for it.
    Initializing,
    /// Submitted, no task runs yet.
    Created,
    /// Running; single tasks may still be on their way.
    Running,
    /// Failed and about to be failed or restarted.
    Failing,
    /// Ended by failure.
    Failed,
    /// Being cancelled.
    Cancelling,
    /// Ended by cancelling.
    Canceled,
    /// Came to its end.
    Finished,
    /// Failed, starting again.
    Restarting,
    /// Given up by this JobManager, to be taken up by another.
    Suspended,
    /// A JobManager takes it over.
    Reconciling,
}

impl FlinkState {
    /// How the run ended, if this state is final (`JobStatus.isGloballyTerminalState`).
    pub const fn outcome(self) -> Option<crate::Outcome> {
        match self {
            Self::Finished => Some(crate::Outcome::Finished),
            Self::Failed => Some(crate::Outcome::Failed),
            Self::Canceled => Some(crate::Outcome::Canceled),
            Self::Initializing
            | Self::Created
            | Self::Running
            | Self::Failing
            | Self::Cancelling
            | Self::Restarting
            | Self::Suspended
            | Self::Reconciling => None,
        }
    }
}
