use std::{io, path::PathBuf};

use flumen_model::Kind;
use flumen_store::{Refusal, Trouble};

mod code;
mod hint;

/// What can fail in a use case or an action. Each variant has a stable code, listed in docs/errors.md.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] flumen_store::Error),
    /// The Kubernetes API.
    #[error("the cluster did not do what was asked")]
    Cluster(#[from] flumen_k8s::Error),
    /// A registry.
    #[error("the registry did not do what was asked")]
    Registry(#[from] flumen_image::Error),
    /// The JobManager.
    #[error("Flink did not do what was asked")]
    Flink(#[from] flumen_flink_rest::Error),
    /// The objects could not be rendered from what the job says.
    #[error("the Kubernetes objects of the job cannot be rendered")]
    Render(#[from] flumen_flink_manifest::Error),
    /// A name that was composed is no valid one.
    #[error("an image or registry has a name that cannot be used")]
    Name(#[from] flumen_model::InvalidValue),
    /// The configuration says something that Flink would not take.
    #[error("the Flink configuration of job {job} is wrong")]
    Configuration {
        /// The job.
        job: String,
        /// What is wrong, all of it.
        #[source]
        source: flumen_flink_conf::Error,
    },
    /// A Flink distribution.
    #[error("the Flink distribution cannot be had")]
    Distribution(#[from] flumen_flink_dist::Error),
    /// The storage of an environment.
    #[error("the storage of environment {environment} did not do what was asked")]
    Storage {
        /// The environment.
        environment: String,
        /// Why.
        #[source]
        source: Box<flumen_storage::Error>,
    },
    /// The keys of a storage.
    #[error("the keys of the storage of environment {environment} cannot be had: {problem}")]
    StorageKeys {
        /// The environment.
        environment: String,
        /// What is missing.
        problem: String,
    },
    /// The plugin by which Flink reads a storage.
    #[error("Flink's plugin {plugin} for the storage of environment {environment} cannot be had")]
    StoragePlugin {
        /// The environment.
        environment: String,
        /// Its coordinates.
        plugin: String,
        /// Why.
        #[source]
        source: Box<flumen_maven::Error>,
    },
    /// What a job needs from Maven repositories.
    #[error("the dependencies of job {job} cannot be had")]
    Dependencies {
        /// The job.
        job: String,
        /// Why.
        #[source]
        source: Box<flumen_maven::Error>,
    },
    /// A file that a job names by URL.
    #[error("could not fetch {url} for job {job}")]
    Fetch {
        /// The job.
        job: String,
        /// The URL, without its parameters.
        url: String,
        /// Why.
        #[source]
        source: Box<flumen_maven::Error>,
    },
    /// A file that a job names by a URL of S3.
    #[error("could not fetch {url} for job {job}")]
    FetchFromStorage {
        /// The job.
        job: String,
        /// The URL.
        url: String,
        /// Why.
        #[source]
        source: Box<flumen_storage::Error>,
    },
    /// A file that a job names by URL is not what the job file says.
    #[error("{url} has the digest {actual}, and the job file says {expected}")]
    OtherContent {
        /// The URL, without its parameters.
        url: String,
        /// What the job file says.
        expected: flumen_model::Digest,
        /// What came.
        actual: flumen_model::Digest,
    },
    /// The jars of a job do not fit each other or Flink.
    #[error("job {job} would fail on Flink {flink}: {}", problems.join("\n"))]
    Unfit {
        /// The job.
        job: String,
        /// Its Flink version.
        flink: flumen_model::FlinkVersion,
        /// What Flink would fail on, each with what to do.
        problems: Vec<String>,
    },
    /// The release policy of the server denies something of a job.
    #[error("job {job} cannot be released: {}", problems.join("\n"))]
    Denied {
        /// The job.
        job: String,
        /// What is denied, each with the rule and what to do.
        problems: Vec<String>,
    },
    /// What a Python job is made of.
    #[error("the Python packages and files of job {job} cannot be had")]
    Python {
        /// The job.
        job: String,
        /// Why.
        #[source]
        source: Box<flumen_python::Error>,
    },
    /// Wheels that were fetched cannot be put into an image.
    #[error("the wheels of the release cannot be unpacked")]
    Wheels {
        /// Why.
        #[source]
        source: Box<flumen_python::Error>,
    },
    /// The settings of Maven on the machine of the server.
    #[error("the server's settings of Maven are wrong")]
    Maven {
        /// What is wrong.
        #[source]
        source: Box<flumen_maven::Error>,
    },
    /// A project could not be built.
    #[error("could not build {reference} of {repository} for project {project}")]
    Build {
        /// The project.
        project: String,
        /// The repository.
        repository: String,
        /// What was to be built.
        reference: String,
        /// Why.
        #[source]
        source: Box<flumen_project::Failure>,
    },
    /// A file of the data directory.
    #[error("could not {what} {path}")]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// What was named does not exist.
    #[error("{what} does not exist{hint}")]
    NotFound {
        /// What was named.
        what: String,
        /// What to do, beginning with `; `, or nothing.
        hint: String,
    },
    /// The request says something that cannot be.
    #[error("{message}")]
    Invalid {
        /// The whole message.
        message: String,
    },
    /// The state of things does not allow it now.
    #[error("{message}")]
    Conflict {
        /// The whole message.
        message: String,
    },
    /// The request is about another version than there is.
    #[error("{what} was changed meanwhile: it has version {actual}, not {expected}")]
    Changed {
        /// What was to be changed.
        what: String,
        /// The version that the caller has seen.
        expected: i64,
        /// The version that it has.
        actual: i64,
    },
    /// A link that opens nothing.
    #[error("the link does not open this artifact: {problem}")]
    Link {
        /// Why.
        problem: &'static str,
    },
    /// Uploaded bytes are not what was announced.
    #[error("the uploaded artifact has the digest {actual}, not {announced}; upload it again")]
    DigestMismatch {
        /// What the caller said.
        announced: flumen_model::Digest,
        /// What arrived.
        actual: flumen_model::Digest,
    },
    /// Upload or proxy: the other side stopped.
    #[error("the upload broke off")]
    UploadBroken {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An upload was to go on where it does not stand.
    #[error("the upload cannot go on at byte {offset}: {}", standing(*.length))]
    UploadOffset {
        /// Where it was to go on.
        offset: u64,
        /// How many bytes are here; none while they are being sent.
        length: Option<u64>,
    },
    /// An upload has more bytes than are taken.
    #[error("the artifact is larger than {limit} bytes, the most that is taken")]
    ArtifactTooLarge {
        /// The most that is taken.
        limit: u64,
    },
    /// Flink could not explain a script.
    #[error(transparent)]
    Explanation(#[from] crate::ExplanationFailure),
    /// A kubeconfig that was given.
    #[error("cluster {cluster} cannot be reached by what was given")]
    Kubeconfig {
        /// The cluster.
        cluster: String,
        /// What is wrong with it.
        #[source]
        source: Box<flumen_cluster::Error>,
    },
    /// A kubeconfig wants a command run that this server does not run.
    #[error(
        "the kubeconfig of cluster {cluster} wants a command run, {command:?}, which this server does not run"
    )]
    ClusterCommand {
        /// The cluster.
        cluster: String,
        /// The command.
        command: String,
    },
    /// There is no such cluster.
    #[error("there is no cluster {name}")]
    NoCluster {
        /// Its name.
        name: String,
    },
    /// A cluster whose handle could not be made just now.
    #[error("cluster {cluster} is away: {problem}")]
    Away {
        /// The cluster.
        cluster: String,
        /// Why.
        problem: String,
    },
    /// The key of the secrets in the database.
    #[error("the key of the secrets in the database cannot be used: {problem}")]
    SecretKey {
        /// Why.
        problem: String,
    },
    /// What was begun in a cluster takes its time.
    #[error("{message}")]
    Underway {
        /// The whole message.
        message: String,
    },
}

impl Error {
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into(), hint: String::new() }
    }

    pub(crate) fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Cluster(error) => error.kind(),
            Self::Registry(error) => error.kind(),
            Self::Flink(error) => error.kind(),
            Self::Render(error) => error.kind(),
            Self::Distribution(error) => error.kind(),
            Self::Explanation(failure) => failure.kind(),
            Self::Configuration { source, .. } => source.kind(),
            Self::Dependencies { source, .. }
            | Self::Fetch { source, .. }
            | Self::StoragePlugin { source, .. } => source.kind(),
            Self::Python { source, .. } | Self::Wheels { source } => source.kind(),
            Self::Build { source, .. } => source.kind(),
            Self::Storage { source, .. } | Self::FetchFromStorage { source, .. } => source.kind(),
            // Wrong settings of Maven are on the machine of the server, not in what was asked.
            Self::Maven { .. }
            | Self::File { .. }
            | Self::SecretKey { .. }
            | Self::Away { .. }
            | Self::Underway { .. } => Kind::Unavailable,
            Self::NotFound { .. } | Self::NoCluster { .. } => Kind::NotFound,
            Self::Name(_)
            | Self::Invalid { .. }
            | Self::Kubeconfig { .. }
            | Self::StorageKeys { .. }
            | Self::OtherContent { .. }
            | Self::Unfit { .. }
            | Self::Denied { .. }
            | Self::DigestMismatch { .. }
            | Self::UploadBroken { .. }
            | Self::ArtifactTooLarge { .. } => Kind::Invalid,
            Self::Conflict { .. } | Self::Changed { .. } | Self::UploadOffset { .. } => {
                Kind::Conflict
            }
            Self::Link { .. } | Self::ClusterCommand { .. } => Kind::Denied,
        }
    }

    /// Whether the database has no room to write.
    pub fn is_database_full(&self) -> bool {
        matches!(self, Self::Store(error) if error.trouble() == Some(Trouble::Full))
    }

    /// Whether the database could not be read or written now: what was to be done is still to be done.
    pub(crate) fn is_database_away(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind() == Kind::Unavailable)
    }

    /// The failure as whoever asked for it is told.
    pub(crate) fn refusal(&self) -> Refusal {
        let kind = self.kind();
        // What a fault of Flumen says is for its log: it may hold anything.
        let is_told = kind != Kind::Bug;
        let message = if is_told {
            self.to_string()
        } else {
            "the server failed; its log has the reason".to_owned()
        };
        let causes = if is_told { self.causes() } else { Vec::new() };
        Refusal { kind, code: self.code().to_owned(), message, causes, hint: self.hint() }
    }

    /// The texts of what lies behind it, the nearest cause first.
    pub(crate) fn causes(&self) -> Vec<String> {
        let first = std::error::Error::source(self);
        std::iter::successors(first, |cause| cause.source()).map(ToString::to_string).collect()
    }

    /// The failure and its causes in one paragraph.
    pub fn paragraph(&self) -> String {
        let mut parts = vec![self.to_string()];
        parts.extend(self.causes());
        parts.join(": ")
    }
}

/// How far an upload is, as the end of a sentence.
fn standing(length: Option<u64>) -> String {
    match length {
        Some(length) => format!("{length} bytes of it are here"),
        None => "it is being sent already".to_owned(),
    }
}

/// What an effect on a file says whose answer was lost.
pub(crate) fn no_answer() -> io::Error {
    io::ErrorKind::TimedOut.into()
}
