#![doc = include_str!("../README.md")]

mod apply;
mod cluster;
mod environment;
mod event;
mod job;
mod live;
mod operation;
mod page;
mod problem;
mod query;
mod release;
mod run;
mod server;
mod state;
mod version;

pub use apply::{Applied, ApplyJob, Artifact, Change};
pub use cluster::{Check, CheckOutcome, Cluster, ClusterCheck};
pub use environment::{Environment, EnvironmentSpec, Storage};
pub use event::Event;
pub use job::{Desired, Job, JobReference, JobSummary};
pub use live::{Live, Vertex};
pub use operation::{Failure, Operation, OperationKind, OperationState, Step, StepState};
pub use page::Page;
pub use problem::Problem;
pub use query::{
    ArtifactQuery, JobQuery, JobsQuery, LogsQuery, OperationsQuery, PageQuery, VersionQuery,
};
pub use release::{Release, ReleaseArtifact};
pub use run::{Outcome, Run};
pub use server::{Health, ServerVersion, UiLink};
pub use state::JobState;
pub use version::{AddVersion, Version, VersionSource};
