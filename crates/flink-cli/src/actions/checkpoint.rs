use flumen_flink_rest::{
    CheckpointKind, TriggeredCheckpoint, trigger_checkpoint, triggered_checkpoint,
};

use super::{Request, on_job};
use crate::{Error, Surroundings, job_manager::JobManager};

/// Takes a checkpoint of a job.
pub(crate) async fn checkpoint(
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let job = request.job("Missing JobID. Specify a Job ID to manipulate a checkpoint.")?;
    let (kind, word) = if request.line.has("full") {
        (CheckpointKind::Full, "(FULL)")
    } else {
        (CheckpointKind::Configured, "")
    };
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    surroundings.say(format!("Triggering checkpoint for job {job}."))?;
    let failed = || on_job(format!("Failed to trigger a checkpoint for the job {job}."));
    surroundings.say("Waiting for response...")?;
    let call = trigger_checkpoint(request.minor, job, kind, request.trigger_id())?;
    let trigger = job_manager.ask_as(&call, true).await.map_err(failed())?;
    let still = format!("the checkpoint {trigger} of the job {job} goes on");
    let result = |status| match status {
        TriggeredCheckpoint::InProgress => None,
        TriggeredCheckpoint::Completed { id } => Some(Ok(id)),
        TriggeredCheckpoint::Failed(failure) => {
            Some(Err(Error::Failed(failure.message().to_owned())))
        }
    };
    let done = job_manager.wait_for(&triggered_checkpoint(job, trigger), &still, result).await;
    let id = done.and_then(|result| result).map_err(failed())?;
    surroundings.say(format!("Checkpoint{word} {id} for job {job} completed."))?;
    Ok(surroundings
        .say("You can resume your program from this checkpoint with the run command.")?)
}
