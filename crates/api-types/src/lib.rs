#![doc = include_str!("../README.md")]

mod apply;
mod cluster;
mod diff;
mod environment;
mod event;
mod job;
mod live;
mod operation;
mod orders;
mod page;
mod problem;
mod project;
mod query;
mod release;
mod removal;
mod run;
mod server;
mod snapshot;
mod sql;
mod state;
mod storage;
mod version;

pub use apply::{Applied, ApplyJob, Artifact, Change};
pub use cluster::{
    AddCluster, Check, CheckOutcome, Cluster, ClusterCheck, ClusterCheckQuery, ClusterNeeds,
    ClusterSource, NamespaceNeeds,
};
pub use diff::{DiffJob, Effect, FieldChange, JobDiff, ReleaseDiff};
pub use environment::{Environment, EnvironmentCheck, EnvironmentSpec};
pub use event::Event;
pub use job::{
    Desired, Job, JobReference, JobSummary, NextRestart, SavepointProgress, SavepointState,
};
pub use live::{Live, Vertex};
pub use operation::{
    AppliedChange, Failure, Operation, OperationKind, OperationState, Step, StepProgress, StepState,
};
pub use orders::{RestartJob, RollBackJob, StartJob, StartSource, StopJob, TakeSavepoint};
pub use page::Page;
pub use problem::Problem;
pub use project::{
    BuildProject, BuiltArtifact, Project, ProjectBuild, ProjectLogQuery, SaveProject,
};
pub use query::{
    ArtifactQuery, JobQuery, JobsQuery, LinkQuery, LogsQuery, OperationsQuery, PageQuery,
    ReleaseDiffQuery, SnapshotsQuery, VersionQuery,
};
pub use release::{Release, ReleaseArtifact, ReleaseSource};
pub use removal::{Fate, Prune, Pruned, PrunedItem, Removal, RemovalKind};
pub use run::{Outcome, Run};
pub use server::{Health, ServerVersion, UiLink};
pub use snapshot::{Snapshot, SnapshotCause, SnapshotKind};
pub use sql::{ExplainSql, SqlExplanation, SqlFinding, SqlRefusal, SqlSeverity, SqlStatement};
pub use state::JobState;
pub use storage::{
    FileStorage, GivenKey, HdfsStorage, OssStorage, S3Storage, Storage, StorageCredentials,
};
pub use version::{AddVersion, Version, VersionJob, VersionSource};
