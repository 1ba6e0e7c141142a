//! What users do with jobs. Each use case writes down what is wanted, in one transaction, and wakes the
//! controller; nothing is done to a cluster here.

mod apply;
mod read;
mod wish;

pub use apply::{Applied, ApplyJob, Change, UploadedArtifact};
pub use read::JobView;

use flumen_store::Job;

use crate::tracker::Key;

/// Where the job lives.
pub(crate) fn key(job: &Job) -> Key {
    Key {
        cluster: job.cluster.clone(),
        namespace: job.namespace.clone(),
        id: job.cluster_id.clone(),
    }
}
