use flumen_flink_rest::{StopRequest, savepoint_status, stop_with_savepoint};
use flumen_model::FlinkMinor;

use super::{FORMATS, Request, format_word, job_id, on_job, savepoint::location};
use crate::{Error, Surroundings, job_manager::JobManager};

/// From here on Flink's client says what it is about to do.
const ANNOUNCED: FlinkMinor = FlinkMinor::new(1, 19);

/// Ends a job with a savepoint.
pub(crate) async fn stop(
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let given = request.line.value("p");
    // A directory that was left out: what stands behind -p is the job.
    let (job, directory) = match (request.line.arguments.first(), given) {
        (Some(job), directory) => (job_id(job)?, directory),
        (None, Some(job)) => (job_id(job)?, None),
        (None, None) => return Err(Error::Usage("Missing JobId".to_owned())),
    };
    let format = request.format()?;
    let drain = request.line.has("d");
    let detached = request.line.has("detached");
    let verb = if drain { "Draining" } else { "Suspending" };
    let word = if request.minor >= FORMATS {
        format!("{} savepoint", format_word(format))
    } else {
        "savepoint".to_owned()
    };
    surroundings.say(format!("{verb} job \"{job}\" with a {word}."))?;
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    if detached {
        surroundings
            .say(format!("Triggering stop-with-savepoint in detached mode for job {job}."))?;
    } else if request.minor >= ANNOUNCED {
        surroundings.say(format!("Triggering stop-with-savepoint for job {job}."))?;
        surroundings.say("Waiting for response...")?;
    }
    let failed = || {
        let what = if detached { "detached savepoint" } else { "savepoint" };
        on_job(format!("Could not stop with a {what} job \"{job}\"."))
    };
    let asked = StopRequest {
        target_directory: directory.map(ToOwned::to_owned),
        drain,
        format,
        trigger_id: request.trigger_id(),
    };
    let call = stop_with_savepoint(request.minor, job, &asked)?;
    let trigger = job_manager.ask_as(&call, asked.trigger_id.is_some()).await.map_err(failed())?;
    if detached {
        return Ok(surroundings.say(format!(
            "Successfully trigger stop-with-savepoint in detached mode, triggerId: {trigger}"
        ))?);
    }
    let still = format!("the job {job} is being stopped with the savepoint {trigger}");
    let done = job_manager.wait_for(&savepoint_status(job, trigger), &still, location).await;
    let path = done.and_then(|result| result).map_err(failed())?;
    Ok(surroundings.say(format!("Savepoint completed. Path: {path}"))?)
}
