//! What users do with jobs. Each use case writes down what is wanted, in one transaction, and wakes the
//! controller; nothing is done to a cluster here.

mod apply;
mod checks;
mod diff;
mod image_lib;
pub(crate) mod policy;
mod pull_secrets;
mod python;
mod read;
mod releases;
mod restart;
mod sql;
mod start;
mod stop;
mod terms;
mod uploaded;
mod wish;
mod write_down;

pub(crate) use apply::Prepared;
pub use apply::{Applied, ApplyJob, Applying};
pub(crate) use checks::{coordinates, jar_of};
pub use diff::Diff;
pub(crate) use image_lib::ImageLibs;
pub(crate) use python::Packages;
pub use read::JobView;
pub use releases::RollBackOrder;
pub use restart::RestartOrder;
pub(crate) use sql::needs;
pub use start::{StartOrder, StartSource};
pub use stop::SavepointOrder;
pub(crate) use terms::IdempotencyKey;
pub use terms::Terms;
pub use uploaded::UploadedArtifact;
pub(crate) use uploaded::distinct;
pub(crate) use wish::{again_if_stale, new_operation};

use flumen_store::{Job, Run, RunStart};

use crate::{clock, identity, tracker::Place};

/// Where the job lives.
pub(crate) fn place(job: &Job) -> Place {
    Place {
        cluster: job.cluster.clone(),
        namespace: job.namespace.clone(),
        id: job.cluster_id.clone(),
    }
}

/// A run of the job's newest release.
pub(crate) fn new_run(job: &Job, start: RunStart) -> Run {
    Run {
        id: identity::run(),
        job: job.id,
        number: 0,
        release: job.release.clone(),
        environment: job.environment.clone(),
        start,
        restored: None,
        plan: None,
        base: None,
        delivery: None,
        image: None,
        objects: None,
        outcome: None,
        reason: None,
        exceptions: None,
        created_at: clock::now(),
        running_at: None,
        ended_at: None,
    }
}
