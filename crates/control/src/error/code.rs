//! What programs may compare.

use flumen_store::Trouble;

use super::Error;

impl Error {
    /// The stable code of this failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(
                flumen_store::Error::Stale { .. }
                | flumen_store::Error::NotUnderway { .. }
                | flumen_store::Error::Exists { .. },
            )
            | Self::Conflict { .. } => "conflict",
            Self::Store(error) => match error.trouble() {
                Some(Trouble::Full) => "server.database_full",
                Some(Trouble::ReadOnly) => "server.database_read_only",
                Some(Trouble::Locked) => "server.database_locked",
                Some(Trouble::Unusable) => "server.database_unusable",
                Some(Trouble::Damaged) => "server.database_damaged",
                None => "server.database",
            },
            Self::Changed { .. } => "request.precondition",
            Self::Link { .. } => "artifact.link",
            Self::NoCluster { .. } => "cluster.not_found",
            Self::Cluster(_) | Self::Away { .. } => "cluster.request",
            Self::Kubeconfig { .. } => "cluster.kubeconfig",
            Self::ClusterCommand { .. } => "cluster.command",
            Self::SecretKey { .. } => "server.secret_key",
            Self::Registry(_) => "registry.request",
            Self::Flink(_) => "flink.request",
            Self::Render(_) => "job.render",
            Self::Distribution(_) => "version.distribution",
            Self::Configuration { .. } => "job.configuration",
            Self::Storage { .. } => "storage.request",
            Self::StorageKeys { .. } => "storage.keys",
            Self::StoragePlugin { .. } => "storage.plugin",
            Self::Dependencies { .. } => "job.dependencies",
            Self::Python { .. } | Self::Wheels { .. } => "job.python",
            Self::Fetch { .. } | Self::FetchFromStorage { .. } => "artifact.fetch",
            Self::Unfit { .. } => "job.jars",
            Self::Build { source, .. } => source.code(),
            Self::Denied { .. } => "job.policy",
            Self::Maven { .. } => "server.maven",
            Self::File { .. } => "server.file",
            Self::NotFound { .. } => "not_found",
            Self::Name(_) | Self::Invalid { .. } => "invalid",
            Self::DigestMismatch { .. } | Self::OtherContent { .. } => "artifact.digest",
            Self::UploadBroken { .. } => "artifact.upload",
            Self::UploadOffset { .. } => "artifact.offset",
            Self::ArtifactTooLarge { .. } => "request.too_large",
            Self::Explanation(failure) => failure.code(),
            Self::Underway { .. } => "cluster.underway",
        }
    }
}
