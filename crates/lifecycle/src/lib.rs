#![doc = include_str!("../README.md")]

mod action;
mod decide;
mod desired;
mod observed;
mod progress;
mod record;
mod retry;
mod status;
mod view;

pub use action::{Action, ActionFailure};
pub use decide::{Decision, decide};
pub use desired::{Desired, Intent};
pub use observed::{
    ClusterContact, Component, DeletionSeen, DeploymentSeen, FlinkState, JobManagerContact,
    JobSeen, Observed, PodSeen,
};
pub use progress::{Progress, progress};
pub use record::record;
pub use retry::retry_delay;
pub use status::{EndStep, Outcome, StartStep, State, Status};
pub use view::JobState;
