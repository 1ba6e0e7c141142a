use std::{io, path::PathBuf};

use flumen_model::{FlinkMinor, InvalidValue};

use crate::command_line::Refusal;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The arguments are not understood.
    #[error(transparent)]
    Arguments(#[from] Refusal),
    /// An argument has a wrong value, or one is missing.
    #[error("{0}")]
    Usage(String),
    /// `FLINK_VERSION` or the distribution names no version that Flumen knows.
    #[error("could not tell which version of Flink is meant: {origin} says {text:?}")]
    Version {
        /// Where it stands.
        origin: String,
        /// What stands there.
        text: String,
        /// What is wrong with it.
        #[source]
        source: InvalidValue,
    },
    /// What `FLINK_HOME` names is no distribution.
    #[error(
        "could not tell which version of Flink is meant: no lib/flink-dist*.jar with a version in its name was found in {path}, which FLINK_HOME names. Set FLINK_HOME to the folder of a distribution, or FLINK_VERSION to the version that is meant", path = path.display()
    )]
    NoDistribution {
        /// The folder.
        path: PathBuf,
        /// Why it could not be looked into, if so.
        #[source]
        source: Option<io::Error>,
    },
    /// The folder that `FLINK_CONF_DIR` names is not there.
    #[error(
        "the configuration folder {path}, which FLINK_CONF_DIR names, does not exist", path = path.display()
    )]
    NoConfigurationFolder {
        /// The folder.
        path: PathBuf,
        /// The Flink that would have read it.
        minor: FlinkMinor,
    },
    /// A file could not be read.
    #[error("could not read {what} {path}", path = path.display())]
    ReadFile {
        /// What it is.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An artifact could not be copied to where the pods fetch it.
    #[error("could not copy the artifact {from} to {to}", from = from.display(), to = to.display())]
    Upload {
        /// The file.
        from: PathBuf,
        /// Its place.
        to: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The configuration file is none.
    #[error("could not read the configuration file {path}", path = path.display())]
    ParseConfiguration {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: flumen_flink_conf::Error,
    },
    /// A value in the configuration cannot be read.
    #[error(transparent)]
    Configuration(#[from] flumen_flink_conf::Error),
    /// The objects cannot be made.
    #[error("could not make the objects of the Flink cluster")]
    Render(#[source] Box<flumen_flink_manifest::Error>),
    /// A name that Kubernetes does not take.
    #[error(transparent)]
    Name(#[from] InvalidValue),
    /// Nothing runs under this target here.
    #[error("{what}. {instead}")]
    Unsupported {
        /// What cannot be done.
        what: String,
        /// What works.
        instead: String,
    },
    /// The cluster stands already.
    #[error("The Flink cluster {cluster_id} already exists: the {what} is there")]
    AlreadyExists {
        /// Its id.
        cluster_id: String,
        /// The object that was found.
        what: String,
    },
    /// The objects could not be created.
    #[error("Could not create Kubernetes cluster \"{cluster_id}\". {left}")]
    Create {
        /// Its id.
        cluster_id: String,
        /// What stands now.
        left: String,
        /// Why.
        #[source]
        source: Box<flumen_k8s::Error>,
    },
    /// No `kubernetes.cluster-id`.
    #[error(
        "No cluster id was specified. Specify the cluster to connect to with -Dkubernetes.cluster-id=…"
    )]
    NoClusterId,
    /// There is no such cluster.
    #[error(
        "Could not get the rest endpoint of {cluster_id}: there is no Service {cluster_id}-rest in the namespace {namespace}"
    )]
    NoEndpoint {
        /// Its id.
        cluster_id: String,
        /// Where it was looked for.
        namespace: String,
    },
    /// No kubeconfig, and not in a pod.
    #[error(
        "there is no Kubernetes cluster to speak to: neither kubernetes.config.file nor KUBECONFIG names a kubeconfig, {home} does not exist, and this is no pod", home = home.display()
    )]
    NoKubeconfig {
        /// The file of the home directory.
        home: PathBuf,
    },
    /// A context without a kubeconfig.
    #[error(
        "kubernetes.context is {context:?}, but there is no kubeconfig that it could be in: this is a pod with a service account"
    )]
    ContextInPod {
        /// The context.
        context: String,
    },
    /// The Kubernetes cluster refuses, or does not answer.
    #[error(transparent)]
    Kubernetes(#[from] flumen_k8s::Error),
    /// The JobManager refuses.
    #[error(transparent)]
    Flink(#[from] flumen_flink_rest::Error),
    /// The JobManager at an address does not answer.
    #[error("could not reach the JobManager at {address}")]
    Unreachable {
        /// Its address.
        address: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// An operation on a job failed.
    #[error("{what}")]
    Job {
        /// What could not be done, on which job.
        what: String,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// The job, or what was asked of it, failed inside Flink.
    #[error("{0}")]
    Failed(String),
    /// Waiting took longer than `client.timeout`.
    #[error("no result after {seconds} s (client.timeout); {still}")]
    TimedOut {
        /// How long was waited.
        seconds: u64,
        /// What goes on.
        still: String,
    },
    /// The output is closed.
    #[error("could not print")]
    Print(#[from] io::Error),
}

impl Error {
    /// Whether it is told as Flink's client tells wrong arguments: on standard output, with a hint.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Arguments(_) | Self::Usage(_))
    }
}

impl From<flumen_flink_manifest::Error> for Error {
    fn from(error: flumen_flink_manifest::Error) -> Self {
        Self::Render(Box::new(error))
    }
}
