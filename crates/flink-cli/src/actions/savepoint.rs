use flumen_flink_rest::{
    DisposalStatus, SavepointRequest, SavepointStatus, disposal_status, dispose_savepoint,
    savepoint_status, trigger_savepoint,
};
use flumen_model::FlinkMinor;

use super::{Request, on_job};
use crate::{Error, Surroundings, job_manager::JobManager};

/// From here on Flink's client words failures of savepoints anew.
const NEW_WORDS: FlinkMinor = FlinkMinor::new(1, 19);

/// Takes a savepoint of a job, or disposes of one.
pub(crate) async fn savepoint(
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    if let Some(path) = request.line.value("d") {
        return dispose(request, path, surroundings).await;
    }
    let job = request.job("Missing JobID. Specify a Job ID to trigger a savepoint.")?;
    let format = request.format()?;
    let detached = request.line.has("detached");
    if request.line.arguments.len() > 2 {
        surroundings
            .say("Provided more arguments than required. Ignoring not needed arguments.")?;
    }
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    let how = if detached { " in detached mode" } else { "" };
    surroundings.say(format!("Triggering savepoint{how} for job {job}."))?;
    let failed = || {
        on_job(if detached {
            format!("Triggering a detached savepoint for the job {job} failed.")
        } else if request.minor >= NEW_WORDS {
            format!("Failed to trigger a savepoint for the job {job}.")
        } else {
            format!("Triggering a savepoint for the job {job} failed.")
        })
    };
    let asked = SavepointRequest {
        target_directory: request.line.arguments.get(1).cloned(),
        cancel_job: false,
        format,
        trigger_id: request.trigger_id(),
    };
    let call = trigger_savepoint(request.minor, job, &asked)?;
    if !detached {
        surroundings.say("Waiting for response...")?;
    }
    let trigger = job_manager.ask_as(&call, asked.trigger_id.is_some()).await.map_err(failed())?;
    if detached {
        let done = format!("Successfully trigger manual savepoint, triggerId: {trigger}");
        return Ok(surroundings.say(done)?);
    }
    let still = format!("the savepoint {trigger} of the job {job} goes on");
    let done = job_manager.wait_for(&savepoint_status(job, trigger), &still, location).await;
    let path = done.and_then(|result| result).map_err(failed())?;
    surroundings.say(format!("Savepoint completed. Path: {path}"))?;
    Ok(surroundings.say("You can resume your program from this savepoint with the run command.")?)
}

/// What a savepoint came to, once there is something.
pub(super) fn location(status: SavepointStatus) -> Option<Result<String, Error>> {
    match status {
        SavepointStatus::InProgress => None,
        SavepointStatus::Completed { location } => Some(Ok(location)),
        SavepointStatus::Failed(failure) => Some(Err(Error::Failed(failure.message().to_owned()))),
    }
}

async fn dispose(
    request: &Request,
    path: &str,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    surroundings.say(format!("Disposing savepoint '{path}'."))?;
    let failed = || {
        on_job(if request.minor >= NEW_WORDS {
            format!("Failed to dispose the savepoint '{path}'.")
        } else {
            format!("Disposing the savepoint '{path}' failed.")
        })
    };
    surroundings.say("Waiting for response...")?;
    let trigger = job_manager.ask(&dispose_savepoint(path)).await.map_err(failed())?;
    let still = format!("the disposal {trigger} goes on");
    let result = |status| match status {
        DisposalStatus::InProgress => None,
        DisposalStatus::Completed => Some(Ok(())),
        DisposalStatus::Failed(failure) => Some(Err(Error::Failed(failure.message().to_owned()))),
    };
    let done = job_manager.wait_for(&disposal_status(trigger), &still, result).await;
    done.and_then(|result| result).map_err(failed())?;
    Ok(surroundings.say(format!("Savepoint '{path}' disposed."))?)
}
