use flumen_flink_rest::{
    SavepointRequest, cancel as cancel_job, savepoint_status, trigger_savepoint,
};

use super::{FORMATS, Request, format_word, job_id, on_job, savepoint::location};
use crate::{Error, Surroundings, job_manager::JobManager};

/// Cancels a job, with a savepoint where that is asked for.
pub(crate) async fn cancel(
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    if request.line.has("s") {
        return with_savepoint(request, surroundings).await;
    }
    let job = request.job("Missing JobID. Specify a JobID to cancel a job.")?;
    surroundings.say(format!("Cancelling job {job}."))?;
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    // Asking twice is the same as asking once.
    job_manager
        .ask_as(&cancel_job(job), true)
        .await
        .map_err(on_job(format!("Could not cancel job {job}.")))?;
    Ok(surroundings.say(format!("Cancelled job {job}."))?)
}

async fn with_savepoint(
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    surroundings.say(
        "DEPRECATION WARNING: Cancelling a job with savepoint is deprecated. Use \"stop\" instead.",
    )?;
    let given = request.line.value("s");
    // A directory that was left out: what stands behind -s is the job.
    let (job, directory) = match (request.line.arguments.first(), given) {
        (Some(job), directory) => (job_id(job)?, directory),
        (None, Some(job)) => (job_id(job)?, None),
        (None, None) => return Err(Error::Usage("Missing JobId".to_owned())),
    };
    let format = request.format()?;
    let word = if request.minor >= FORMATS {
        format!("{} savepoint", format_word(format))
    } else {
        "savepoint".to_owned()
    };
    let to = directory.map_or_else(|| "default savepoint directory".to_owned(), ToOwned::to_owned);
    surroundings.say(format!("Cancelling job {job} with {word} to {to}."))?;
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    let failed = || on_job(format!("Could not cancel job {job}."));
    let asked = SavepointRequest {
        target_directory: directory.map(ToOwned::to_owned),
        cancel_job: true,
        format,
        trigger_id: request.trigger_id(),
    };
    let call = trigger_savepoint(request.minor, job, &asked)?;
    let trigger = job_manager.ask_as(&call, asked.trigger_id.is_some()).await.map_err(failed())?;
    let still = format!("the job {job} is being cancelled with the savepoint {trigger}");
    let done = job_manager.wait_for(&savepoint_status(job, trigger), &still, location).await;
    let path = done.and_then(|result| result).map_err(failed())?;
    Ok(surroundings.say(format!("Cancelled job {job}. Savepoint stored in {path}."))?)
}
