use flumen_flink_rest as flink;
use flumen_lifecycle::Finding;
use flumen_model::{OperationId, RunId};
use flumen_store::Job;

use super::{Done, run_of};
use crate::{Control, Error, clusters::JobManager, jobs, snapshots, storage::Look};

/// Looks for a savepoint whose answer was lost: among the checkpoints that the JobManager remembers, and in
/// storage, by the directory that holds the operation's id.
pub(super) async fn find_savepoint(
    control: &Control,
    job: &Job,
    (run, operation): (RunId, OperationId),
) -> Result<Done, Error> {
    let run = run_of(control, run).await?;
    let known = job.status.savepoint.as_ref().filter(|known| known.operation == operation);
    let wished = known.and_then(|known| known.directory.as_deref());
    let directory = snapshots::savepoint_directory(&run, wished, operation)?;
    let job_manager = JobManager::of(control.clusters_handle(), &jobs::place(job)).await?;
    // A JobManager that does not answer is no failure: the storage has the last word.
    let remembered = match job_manager.call(&flink::checkpoints(flink::JobId::from(run.id))).await {
        Ok(checkpoints) => snapshots::remembered_in(&checkpoints, &directory),
        Err(_) => None,
    };
    if let Some(path) = remembered {
        return Ok(found(Some(path), &directory));
    }
    match control.storages().of(&job.environment).await? {
        Look::Into(files) => Ok(found(files.savepoint_in(&directory).await?, &directory)),
        Look::Never(why) => {
            let message = format!(
                "Flink does not know of the savepoint any more, and Flumen cannot look into its directory {directory}: {why}; look there yourself"
            );
            Err(Error::Invalid { message })
        }
    }
}

fn found(path: Option<String>, directory: &str) -> Done {
    let detail = path.clone().unwrap_or_else(|| format!("nothing complete in {directory}"));
    Done { detail: Some(detail), finding: Finding::Savepoint(path) }
}
