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
mod releases;
mod rows;
mod runs;
mod teams;
mod versions;

pub use clusters::Cluster;
pub use database::Store;
pub use environments::{Environment, EnvironmentDocument, Storage};
pub use error::Error;
pub use events::JobEvent;
pub use jobs::{Job, JobFilter, NewJob};
pub use operations::{Operation, OperationState, Step, StepState};
pub use releases::{Release, ReleaseArtifact, ReleaseContent};
pub use runs::Run;
pub use teams::Principal;
pub use versions::FlinkVersionRow;
