#![doc = include_str!("../README.md")]

mod actions;
mod artifacts;
mod builds;
mod by_url;
mod clock;
mod clusters;
mod control;
mod controller;
mod delivery;
mod dependencies;
mod environments;
mod error;
mod explanations;
mod identity;
mod inspections;
mod jobs;
mod live;
mod logs;
mod operations;
mod preparations;
mod private_file;
mod progress;
mod projects;
mod queue;
mod registries;
mod release;
mod results;
mod resync;
mod retention;
mod sbom;
mod script_secrets;
mod settings;
mod shown;
mod snapshots;
mod storage;
mod tasks;
mod text;
mod tracker;
mod unfinished;
mod user_interface;
mod vault;
mod versions;

pub use clusters::{
    AnotherPlace, ClusterCheck, ClusterFinding, ClusterSource, ClusterView, NoAnswer,
};
pub use control::Control;
pub use error::Error;
pub use explanations::{
    ExplainSql, ExplanationFailure, SqlExplanation, SqlFinding, SqlRefusal, SqlStatement,
};
pub use flumen_cluster::manifest::Place;
pub use flumen_faults::Faults;
pub use jobs::{
    Applied, ApplyJob, Applying, Diff, JobView, RestartOrder, RollBackOrder, SavepointOrder,
    StartOrder, StartSource, Terms, UploadedArtifact,
};
pub use live::{Live, LiveVertex, by_state};
pub use logs::{LogSource, LogStream, LogsQuery};
pub use progress::StepProgress;
pub use projects::ProjectView;
pub use retention::{Disposal, Disposed, Fate};
pub use settings::{LocalSettings, MavenFiles, RegistryAccess, Retention, Settings};
pub use shown::{shown_configuration, shown_job, shown_spec};
pub use storage::{Check, CheckOutcome, StorageKeys, own_storage_secret};
pub use store::{
    ApplyOutcome, BuiltArtifact, Change, Environment, EnvironmentDocument, FlinkVersionRow,
    JobEvent, Operation, OperationKind, OperationState, Principal, Project, ProjectBuild, Refusal,
    Release, ReleaseSource, Removal, RemovalKind, Run, RunStart, Snapshot, SnapshotCause,
    SnapshotKind, Step, StepState,
};
pub use tasks::Tasks;
pub use user_interface::UiResponse;
pub use versions::{VersionFiles, VersionSource};

use flumen_store as store;
