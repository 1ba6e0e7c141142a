use flumen_flink_rest as flink;
use flumen_model::{Kind, RunId};
use flumen_store::Job;

use super::Done;
use crate::{Control, Error, clusters::JobManager, jobs};

/// Asks Flink to cancel the run's job. A job that is over already needs no cancelling.
pub(super) async fn cancel_job(control: &Control, job: &Job, run: RunId) -> Result<Done, Error> {
    let job_manager = JobManager::of(control.clusters_handle(), &jobs::place(job)).await?;
    match job_manager.call(&flink::cancel(flink::JobId::from(run))).await {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => {}
        Err(error) => return Err(error),
    }
    control.tracker().nudge(job.id);
    Ok(Done::default())
}
