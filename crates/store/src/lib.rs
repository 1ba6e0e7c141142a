#![doc = include_str!("../README.md")]

mod artifacts;
mod clusters;
mod database;
mod environments;
mod error;
mod events;
mod images;
mod jobs;
mod operations;
mod preparations;
mod releases;
mod retention;
mod rows;
mod runs;
mod snapshots;
mod teams;
mod trouble;
mod versions;

pub use clusters::Cluster;
pub use database::Store;
pub use environments::{Environment, EnvironmentDocument};
pub use error::Error;
pub use events::JobEvent;
pub use jobs::{Job, JobFilter, NewJob};
pub use operations::{Operation, OperationKind, OperationState, Step, StepState};
pub use preparations::{ApplyOutcome, Change, MadeRelease, PreparationEnd, Refusal};
pub use releases::{Release, ReleaseArtifact, ReleaseContent, ScriptNeeds};
pub use retention::{Removal, RemovalKind, SurplusRelease, UnusedArtifact, UnusedImage};
pub use runs::{Run, RunPlan, RunStart};
pub use snapshots::{Snapshot, SnapshotCause, SnapshotFilter, SnapshotKind};
pub use teams::Principal;
pub use trouble::Trouble;
pub use versions::FlinkVersionRow;
