use std::{path::PathBuf, time::Duration};

use flumen_model::Kind;

use crate::redact;

/// What failed, by the step. The cause is the source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kubeconfig cannot be read.
    #[error("could not read the kubeconfig {}", path.display())]
    ReadKubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The kubeconfig is not one, or lacks something.
    #[error("the kubeconfig {origin} cannot be used: {problem}")]
    UseKubeconfig {
        /// Its path, or `of cluster NAME`.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The context is not in the kubeconfig.
    #[error("the kubeconfig {origin} has no context {context:?}; it has {known}")]
    UnknownContext {
        /// Its path, or `of cluster NAME`.
        origin: String,
        /// The context that was asked for.
        context: String,
        /// Those it has.
        known: String,
    },
    /// The command that a kubeconfig names gave no credentials.
    #[error("could not obtain credentials for cluster {cluster}: {problem}")]
    Credentials {
        /// The cluster.
        cluster: String,
        /// Why.
        problem: String,
    },
    /// The server could not be asked for its version.
    #[error("could not ask cluster {cluster} for its version")]
    Check {
        /// The cluster.
        cluster: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The server could not be asked what Flumen may do.
    #[error("could not ask cluster {cluster} whether {permission} is allowed")]
    AskPermission {
        /// The cluster.
        cluster: String,
        /// What was asked about.
        permission: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A Deployment could not be created.
    #[error("could not create Deployment {namespace}/{name}")]
    CreateDeployment {
        /// The namespace.
        namespace: String,
        /// The Deployment.
        name: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A Deployment of this name belongs to something else.
    #[error("Deployment {namespace}/{name} is there already and belongs to {owner}")]
    DeploymentTaken {
        /// The namespace.
        namespace: String,
        /// The Deployment.
        name: String,
        /// `run ID`, or `nobody that Flumen knows`.
        owner: String,
    },
    /// The Deployment of this very run is being deleted.
    #[error("Deployment {namespace}/{name} of the same run is being deleted")]
    DeploymentDeleting {
        /// The namespace.
        namespace: String,
        /// The Deployment.
        name: String,
    },
    /// An accompanying object cannot be sent because of what it is.
    #[error("object {number} beside Deployment {namespace}/{name} has no valid {field}")]
    DescribeObject {
        /// The namespace.
        namespace: String,
        /// The Deployment.
        name: String,
        /// Its place in the list, from 1.
        number: usize,
        /// The field that is missing or wrong.
        field: &'static str,
    },
    /// An object could not be created.
    #[error("could not create {what} {name}")]
    CreateObject {
        /// Its kind.
        what: String,
        /// The object, with its namespace.
        name: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// An object of this name belongs to something else.
    #[error("{what} {namespace}/{name} is there already and does not belong to this Deployment")]
    ObjectTaken {
        /// Its kind.
        what: String,
        /// The namespace.
        namespace: String,
        /// The object.
        name: String,
    },
    /// An object could not be applied.
    #[error("could not apply {what} {name}")]
    ApplyObject {
        /// Its kind.
        what: String,
        /// The object, with its namespace where it has one.
        name: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// An object could not be read.
    #[error("could not read {what} {name}")]
    ReadObject {
        /// Its kind.
        what: &'static str,
        /// The object, with its namespace where it has one.
        name: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Objects could not be listed.
    #[error("could not list {what} of {cluster_id} in namespace {namespace}")]
    ListObjects {
        /// Their kind, in the plural.
        what: &'static str,
        /// The namespace.
        namespace: String,
        /// The Flink cluster, or the object that they are about.
        cluster_id: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// An object could not be deleted.
    #[error("could not delete {what} {name}")]
    DeleteObject {
        /// Its kind.
        what: &'static str,
        /// The object, with its namespace.
        name: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A log could not be read.
    #[error("could not read the log of container {container} in pod {pod}")]
    ReadLog {
        /// The pod, with its namespace.
        pod: String,
        /// The container.
        container: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// What a server in a Pod has could not be read.
    #[error("could not read from pod {pod}")]
    ReadFromPod {
        /// The pod, with its namespace.
        pod: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The service has no pod that is ready.
    #[error("service {service} has no pod that answers")]
    NoEndpoints {
        /// Namespace and service.
        service: String,
        /// What the API server said.
        #[source]
        source: Cause,
    },
    /// A request could not be sent to a service, or its answer not be read.
    #[error("could not reach service {service} through the API server of cluster {cluster}")]
    Proxy {
        /// Namespace and service.
        service: String,
        /// The cluster.
        cluster: String,
        /// Why.
        #[source]
        source: Cause,
    },
}

impl Error {
    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ReadKubeconfig { .. }
            | Self::UseKubeconfig { .. }
            | Self::UnknownContext { .. } => Kind::Invalid,
            Self::DescribeObject { .. } => Kind::Bug,
            Self::DeploymentTaken { .. }
            | Self::DeploymentDeleting { .. }
            | Self::ObjectTaken { .. } => Kind::Conflict,
            Self::NoEndpoints { .. } | Self::Credentials { .. } => Kind::Unavailable,
            Self::Check { source, .. }
            | Self::AskPermission { source, .. }
            | Self::CreateDeployment { source, .. }
            | Self::CreateObject { source, .. }
            | Self::ApplyObject { source, .. }
            | Self::ReadObject { source, .. }
            | Self::ListObjects { source, .. }
            | Self::DeleteObject { source, .. }
            | Self::ReadLog { source, .. }
            | Self::ReadFromPod { source, .. }
            | Self::Proxy { source, .. } => source.kind(),
        }
    }
}

/// Why a call to the API server failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The API server refused or could not do it.
    #[error("the API server answered {code}: {message}")]
    Refused {
        /// The status of the answer.
        code: u16,
        /// Kubernetes' one-word reason, for example `AlreadyExists`; may be empty.
        reason: String,
        /// Kubernetes' sentence.
        message: String,
    },
    /// No answer in time; whether it happened is unknown.
    #[error("no answer from the API server within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The API server could not be reached, or the connection broke.
    #[error("no connection to the API server at {server}: {problem}")]
    Unreachable {
        /// Its address.
        server: String,
        /// What the operating system or TLS says.
        problem: String,
    },
    /// The credentials could not be obtained.
    #[error("could not obtain credentials for the API server: {problem}")]
    Credentials {
        /// Why.
        problem: String,
    },
    /// The answer is not what Kubernetes promises.
    #[error("the answer of the API server is not understood")]
    Malformed(#[source] serde_json::Error),
    /// The request could not be made.
    #[error("the request cannot be made: {problem}")]
    Build {
        /// Why.
        problem: String,
    },
}

impl Cause {
    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Refused { code, .. } => match code {
                401 | 403 => Kind::Denied,
                404 | 410 => Kind::NotFound,
                409 | 412 => Kind::Conflict,
                408 | 504 => Kind::Timeout,
                429 | 500.. => Kind::Unavailable,
                _ => Kind::Invalid,
            },
            Self::TimedOut(_) => Kind::Timeout,
            Self::Unreachable { .. } | Self::Credentials { .. } => Kind::Unavailable,
            Self::Malformed(_) | Self::Build { .. } => Kind::Bug,
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }

    pub(crate) fn is_already_exists(&self) -> bool {
        matches!(self, Self::Refused { code: 409, reason, .. } if reason == "AlreadyExists")
    }

    /// From the client library, whose texts repeat their sources.
    pub(crate) fn of(error: kube::Error, server: &str) -> Self {
        if let Some(problem) = redact::credentials(&error) {
            return Self::Credentials { problem };
        }
        match error {
            kube::Error::Api(status) => {
                Self::Refused { code: status.code, reason: status.reason, message: status.message }
            }
            kube::Error::SerdeError(source) => Self::Malformed(source),
            kube::Error::BuildRequest(_) | kube::Error::HttpError(_) => {
                Self::Build { problem: error.to_string() }
            }
            other => Self::Unreachable { server: server.to_owned(), problem: connecting(&other) },
        }
    }
}

/// What the operating system or TLS says, with what to do where its words do not tell.
fn connecting(error: &kube::Error) -> String {
    let problem = innermost(error);
    let meant = if problem.ends_with("UnknownIssuer") {
        "its certificate is from an authority that this machine does not know, and that the kubeconfig has to name"
    } else if problem.ends_with("BadSignature") {
        "its certificate is not from the authority that the kubeconfig names, but from another of the same name"
    } else {
        return problem;
    };
    format!("{problem}: {meant} (certificate-authority-data)")
}

/// The text of the last error in the chain, which is the one that says something.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
