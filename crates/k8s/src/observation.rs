use flumen_model::ClusterId;
use jiff::Timestamp;

/// What a watch reports. Everything is reduced to what can change a decision, and reported only when that
/// changed, so equality of two values means that nothing happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A Deployment is there, and this is new about it.
    Deployment(DeploymentSeen),
    /// A Deployment that was reported is not there any more.
    DeploymentGone {
        /// Its namespace.
        namespace: String,
        /// Its Flink cluster.
        cluster_id: ClusterId,
        /// Its uid.
        uid: String,
        /// When its deletion was seen, or the look began that did not find it.
        as_of: Timestamp,
    },
    /// A pod is there, and this is new about it.
    Pod(Box<PodSeen>),
    /// A pod that was reported is not there any more.
    PodGone {
        /// Its namespace.
        namespace: String,
        /// Its Flink cluster.
        cluster_id: ClusterId,
        /// Its name.
        name: String,
        /// Its uid.
        uid: String,
        /// When its deletion was seen, or the look began that did not find it.
        as_of: Timestamp,
    },
    /// The high-availability data of a Flink job changed, as it does with each checkpoint.
    HighAvailability {
        /// Its namespace.
        namespace: String,
        /// Its Flink cluster.
        cluster_id: ClusterId,
    },
    /// The high-availability data of a Flink job are gone: Flink removes them when the job has ended.
    HighAvailabilityGone {
        /// Its namespace.
        namespace: String,
        /// Its Flink cluster.
        cluster_id: ClusterId,
    },
    /// The ConfigMap with Flink's configuration, which was there, is gone.
    ConfigurationGone {
        /// Its namespace.
        namespace: String,
        /// Its Flink cluster.
        cluster_id: ClusterId,
    },
    /// All objects of this sort were looked at: what was not reported is not there. Ends
    /// [`Observation::Unreachable`] of the same sort.
    Resync {
        /// Of which sort.
        watched: Watched,
        /// When the look began.
        as_of: Timestamp,
    },
    /// Nobody could look at objects of this sort; what was reported may be old, and nothing is gone. Said
    /// once for each outage.
    Unreachable {
        /// Of which sort.
        watched: Watched,
        /// Since when.
        since: Timestamp,
        /// Why, in one line.
        reason: String,
    },
}

/// What a watch is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watched {
    /// Deployments.
    Deployments,
    /// Pods.
    Pods,
    /// The ConfigMaps of high availability.
    ConfigMaps,
}

/// The Deployment of a Flink cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentSeen {
    /// Its namespace.
    pub namespace: String,
    /// Its Flink cluster.
    pub cluster_id: ClusterId,
    /// Its uid.
    pub uid: String,
    /// The annotation with the run, as it is written there.
    pub run_id: Option<String>,
    /// JobManagers that are wanted.
    pub replicas: i32,
    /// JobManagers that are ready.
    pub ready_replicas: i32,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Its conditions.
    pub conditions: Vec<DeploymentCondition>,
}

/// A condition of a Deployment, without its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentCondition {
    /// For example `Available` or `ReplicaFailure`.
    pub name: String,
    /// Whether it holds; none if unknown.
    pub holds: Option<bool>,
    /// One word.
    pub reason: String,
    /// A sentence, for example which quota is used up.
    pub message: String,
}

/// Which part of Flink a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// It runs a JobManager.
    JobManager,
    /// It runs a TaskManager.
    TaskManager,
    /// It carries the labels of a Flink cluster but neither component.
    Other,
}

/// The phase of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PodPhase {
    /// Not placed, or its images are not there yet.
    Pending,
    /// At least one container runs, starts or restarts.
    Running,
    /// All containers ended well and stay ended.
    Succeeded,
    /// A container ended badly and stays ended, or the pod was evicted.
    Failed,
    /// Its node does not answer.
    Unknown,
}

/// A pod of a Flink cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSeen {
    /// Its namespace.
    pub namespace: String,
    /// Its Flink cluster.
    pub cluster_id: ClusterId,
    /// Which part of Flink it is.
    pub component: Component,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Where it runs.
    pub node: Option<String>,
    /// Its phase.
    pub phase: PodPhase,
    /// Why the pod as a whole is in its phase, for example `Evicted` and the rest.
    pub reason: Option<String>,
    /// Its containers, init containers first, as their logs are asked for.
    pub containers: Vec<String>,
    /// What a container waits for; the first that waits, init containers first.
    pub waiting: Option<ContainerWait>,
    /// The newest end of Flink's container, or of an init container that failed: now, or before the newest
    /// restart.
    pub terminated: Option<ContainerEnd>,
    /// How often Flink's container was started again.
    pub restarts: i32,
    /// Whether all its containers are ready.
    pub ready: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why it cannot be placed on a node, in the scheduler's words.
    pub unschedulable: Option<String>,
}

/// What a container waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerWait {
    /// The container.
    pub container: String,
    /// One word, for example `ImagePullBackOff`.
    pub reason: String,
    /// A sentence; may be empty.
    pub message: String,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEnd {
    /// The container.
    pub container: String,
    /// The exit code.
    pub exit_code: i32,
    /// One word, for example `OOMKilled` or `Error`.
    pub reason: String,
    /// What the container left as its last words; may be empty.
    pub message: String,
    /// When.
    pub at: Option<Timestamp>,
}
