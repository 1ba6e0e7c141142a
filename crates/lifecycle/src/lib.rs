#![doc = include_str!("../README.md")]

mod action;
mod decide;
mod desired;
mod difference;
mod index;
mod observed;
mod path;
mod preparation;
mod progress;
mod record;
mod restart;
mod retry;
mod status;
mod view;

pub use action::{Action, ActionFailure, Finding};
pub use decide::{Decision, decide};
pub use desired::{Desired, Handover, Intent, SavepointWish};
pub use difference::{Definition, Difference, Effect, differences, effect, is_policy};
pub use index::{Index, Place, Watched};
pub use observed::{
    ClusterContact, Component, DeletionSeen, DeploymentSeen, FlinkState, JobManagerContact,
    JobSeen, Observed, PodSeen, RestoredSeen, SavepointSeen, SavepointSeenProgress,
};
pub use path::plain_path;
pub use preparation::{Preparation, preparation};
pub use progress::{Progress, progress, settle};
pub use record::record;
pub use restart::{NextRun, next as next_run};
pub use retry::retry_delay;
pub use status::{EndStep, Outcome, Restore, Savepoint, SavepointStep, StartStep, State, Status};
pub use view::JobState;
