use flumen_flink_conf::Layer;
use flumen_model::{FlinkMinor, Kind};

/// Why there are no manifests. Nothing was created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option has a value that cannot be read.
    #[error(transparent)]
    Configuration(#[from] flumen_flink_conf::Error),
    /// The memory of a process cannot be laid out.
    #[error(transparent)]
    Memory(#[from] flumen_flink_conf::MemoryError),
    /// An option that must have a value has none.
    #[error("{key} must not be blank")]
    Blank {
        /// The option.
        key: &'static str,
    },
    /// The cluster has no id.
    #[error("kubernetes.cluster-id is not set")]
    ClusterIdMissing,
    /// The cluster id leaves no room for what Flink appends to it.
    #[error("kubernetes.cluster-id must be no more than 45 characters. {id:?} has {}", id.chars().count())]
    ClusterIdTooLong {
        /// The id.
        id: String,
    },
    /// The file or command line ask for another target.
    #[error(
        "couldn't deploy Kubernetes Application Cluster. Expected execution.target to be kubernetes-application, but it is {target:?}"
    )]
    WrongTarget {
        /// What was asked for.
        target: String,
    },
    /// A port is given as a range or as no number.
    #[error(
        "{key} should be specified to a fixed port. Do not support a range of ports. It is {value:?}"
    )]
    PortNotFixed {
        /// The option.
        key: String,
        /// The value.
        value: String,
    },
    /// A port that pods and Services must know beforehand is left to chance.
    #[error("{key} should not be 0: Kubernetes must know the port beforehand")]
    PortZero {
        /// The option.
        key: String,
    },
    /// No JobManager at all.
    #[error(
        "'kubernetes.jobmanager.replicas' should not be configured less than one. It is {replicas}"
    )]
    TooFewReplicas {
        /// What was asked for.
        replicas: i64,
    },
    /// Several JobManagers that do not know of each other.
    #[error(
        "High availability should be enabled when starting standby JobManagers. kubernetes.jobmanager.replicas is {replicas}"
    )]
    StandbyWithoutHighAvailability {
        /// What was asked for.
        replicas: i64,
    },
    /// A limit below the request.
    #[error("{key} should be greater or equal to 1. It is {value}")]
    LimitFactor {
        /// The option.
        key: String,
        /// The value.
        value: String,
    },
    /// The exposed type is newer than the version.
    #[error(
        "could not parse value '{value}' for key 'kubernetes.rest-service.exposed.type': Flink {minor} has {allowed}"
    )]
    ExposedType {
        /// What was asked for.
        value: String,
        /// The minor.
        minor: FlinkMinor,
        /// What it has.
        allowed: &'static str,
    },
    /// A pod template that the configuration names was not given.
    #[error("Pod template file {path} does not exist.")]
    PodTemplateMissing {
        /// The path.
        path: String,
    },
    /// A pod template is no Kubernetes Pod.
    #[error("pod template {path} is no Kubernetes Pod")]
    ParsePodTemplate {
        /// The path.
        path: String,
        /// What is wrong, with line and column.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// A pod template could not be written.
    #[error("could not write the pod template {path}")]
    WritePodTemplate {
        /// The path.
        path: String,
        /// What went wrong.
        #[source]
        source: Box<serde_saphyr::SerializeError>,
    },
    /// A toleration or owner reference has a part that cannot be read.
    #[error("could not parse value '{value}' for key '{key}': {part} must be {allowed}")]
    Part {
        /// The option.
        key: &'static str,
        /// The part of the entry.
        part: String,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The jar is not in the image and the version cannot fetch it.
    #[error(
        "Only \"local\" is supported as schema for application mode. This assumes that the jar is located in the image, not the Flink client: Flink {minor} cannot run {uri:?}"
    )]
    JarNotLocal {
        /// The jar.
        uri: String,
        /// The minor.
        minor: FlinkMinor,
    },
    /// There is no jar where the version needs one.
    #[error("Should only have one jar: Flink {minor} needs exactly one, and none is given")]
    JarMissing {
        /// The minor.
        minor: FlinkMinor,
    },
    /// Python programs came with 1.12.
    #[error("Flink {minor} cannot run a Python program in application mode; 1.12 and later can")]
    PythonUnsupported {
        /// The minor.
        minor: FlinkMinor,
    },
    /// A persistent volume claim cannot be mounted.
    #[error("kubernetes.persistent-volume-claims cannot mount {claim:?} at {path:?}: {reason}")]
    Claim {
        /// The claim.
        claim: String,
        /// Where it was to be mounted.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The configuration of a job of Flumen sets a key that Flumen sets itself.
    #[error(
        "{key} cannot be set in the configuration of a job (it is set in the layer {layer}): {reason}"
    )]
    OwnedKey {
        /// The key.
        key: String,
        /// The layer that sets it.
        layer: Layer,
        /// What to do instead.
        reason: &'static str,
    },
    /// An argument of a job of Flumen would not reach its program.
    #[error(
        "argument {number} cannot be passed to the program in Flink {minor}, whose configuration file has no way to write it: {what}"
    )]
    Argument {
        /// Which argument, from 1.
        number: usize,
        /// The minor.
        minor: FlinkMinor,
        /// What happens to it.
        what: &'static str,
    },
    /// A Secret is to be mounted twice.
    #[error(
        "kubernetes.secrets mounts the Secret {secret} at {other}, and the script of the job needs it at {path}: take it out of the configuration"
    )]
    SecretElsewhere {
        /// The Secret.
        secret: String,
        /// Where the runner looks for it.
        path: String,
        /// Where the configuration has it.
        other: String,
    },
    /// A job of Flumen asks for what its Flink version does not have.
    #[error("Flink {minor} has no {what}, which this job needs")]
    Unsupported {
        /// The minor.
        minor: FlinkMinor,
        /// What is missing.
        what: &'static str,
    },
}

impl Error {
    /// What sort of failure this is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Configuration(error) => error.kind(),
            Self::Memory(error) => error.kind(),
            Self::WritePodTemplate { .. } => Kind::Bug,
            _ => Kind::Invalid,
        }
    }
}
