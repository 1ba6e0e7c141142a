use flumen_flink_rest as flink;
use flumen_lifecycle::{Finding, Savepoint, SavepointWish};
use flumen_model::{OperationId, RunId, SavepointFormat};
use flumen_store::Job;

use super::{Done, run_of};
use crate::{Control, Error, clusters::JobManager, jobs, snapshots};

/// Orders the savepoint that the operation wants. The operation's id is the trigger, so that an order that
/// is repeated is the same one; Flink before 1.15 takes no such id, and there the directory tells.
pub(super) async fn trigger_savepoint(
    control: &Control,
    job: &Job,
    (run, operation): (RunId, OperationId),
) -> Result<Done, Error> {
    let known = job.status.savepoint.as_ref().filter(|known| known.operation == operation);
    let stops = known.is_some_and(|known| known.stops);
    let wish = job.desired.savepoint.as_ref().filter(|wish| wish.operation == operation);
    let wished = known.and_then(|known| known.directory.as_deref());
    let run = run_of(control, run).await?;
    let directory = snapshots::savepoint_directory(&run, wished, operation)?;
    let version = job.spec.flink_version.minor();
    let id = flink::JobId::from(run.id);
    let trigger_id = Some(flink::TriggerId::from_bits(operation.as_uuid().as_u128()));
    let format = format(wish);
    let call = if stops {
        let drain = wish.is_some_and(|wish| wish.drain);
        let request = flink::StopRequest {
            target_directory: Some(directory.clone()),
            drain,
            format,
            trigger_id,
        };
        flink::stop_with_savepoint(version, id, &request)?
    } else {
        let request = flink::SavepointRequest {
            target_directory: Some(directory.clone()),
            cancel_job: false,
            format,
            trigger_id,
        };
        flink::trigger_savepoint(version, id, &request)?
    };
    record_lying(control, job, known, &directory).await?;
    let job_manager = JobManager::of(control.clusters_handle(), &jobs::place(job)).await?;
    let trigger = job_manager.call(&call).await?;
    control.tracker().nudge(job.id);
    Ok(Done { detail: Some(directory), finding: Finding::Trigger(trigger.to_string()) })
}

/// Writes down what lies in the operation's directory already: it was completed for an order whose answer
/// nobody heard, and the JobManager that is asked now may not know of it.
async fn record_lying(
    control: &Control,
    job: &Job,
    savepoint: Option<&Savepoint>,
    directory: &str,
) -> Result<(), Error> {
    let Some(savepoint) = savepoint else { return Ok(()) };
    let look = control.storages().of(&job.environment).await?;
    let Some(files) = look.files() else { return Ok(()) };
    for path in files.savepoints_in(directory).await? {
        snapshots::record_savepoint(control, job, savepoint, &path).await?;
    }
    Ok(())
}

fn format(wish: Option<&SavepointWish>) -> flink::SavepointFormat {
    match wish.map(|wish| wish.format).unwrap_or_default() {
        SavepointFormat::Canonical => flink::SavepointFormat::Canonical,
        SavepointFormat::Native => flink::SavepointFormat::Native,
    }
}
