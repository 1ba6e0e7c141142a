#![doc = include_str!("../README.md")]

mod artifact_url;
mod byte_size;
mod cluster;
mod delivery;
mod digest;
mod flink_version;
mod ids;
mod invalid;
mod job;
mod kind;
mod names;
mod pod_template;
mod policy;
mod project;
mod python;
mod retry_after;
mod secret;
mod storage;
mod variable;

pub use artifact_url::ArtifactUrl;
pub use byte_size::ByteSize;
pub use cluster::{AccessKind, ClusterAccess, CredentialKind};
pub use delivery::{Delivery, FetchFrom};
pub use digest::Digest;
pub use flink_version::{FlinkMinor, FlinkVersion};
pub use ids::{EventId, JobId, OperationId, ReleaseId, RunId, SnapshotId, TeamId, UserId};
pub use invalid::InvalidValue;
pub use job::{
    ArtifactRole, ConfigurationValue, Dependency, FileDependency, JobKind, JobManagerResources,
    JobSpec, MavenDependency, Mode, Resources, TaskManagerResources, UpgradeMode, UrlDependency,
};
pub use kind::Kind;
pub use names::{ClusterId, ClusterName, EnvironmentName, JobName, Namespace, ProjectName};
pub use pod_template::PodTemplates;
pub use policy::{
    InterventionPolicy, LeftoverPolicy, RestartPolicy, RestoreMode, SavepointFormat, StartFrom,
};
pub use project::{
    BuildCache, BuildResources, BuildSettings, Builder, GitReference, HostDirectory, PathInside,
    ProjectSpec, Repository, RepositoryAccess,
};
pub use python::{BASE_PACKAGES, ImagePython, PYTHON_LABEL, is_wheel};
pub use retry_after::retry_after;
pub use secret::Secret;
pub use storage::{
    FileStorage, HdfsStorage, ObjectName, OssStorage, Region, S3Plugin, S3Storage, SecretEntry,
    Storage, StorageCredentials, StorageEndpoint, StorageKind, StoragePlace,
};
pub use uuid::Uuid;
pub use variable::{VariableAssignment, VariableName};
