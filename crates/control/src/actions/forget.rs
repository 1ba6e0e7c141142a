use flumen_store::Job;

use super::Done;
use crate::{Control, Error, error::no_answer, jobs};

/// Removes the saved logs of the job's runs, and then the job from the database: the other way round nobody
/// would know any more whose logs they are.
pub(super) async fn forget(control: &Control, job: &Job) -> Result<Done, Error> {
    for run in control.store().runs(job.id).await? {
        let logs = control.run_logs(run.id);
        let remove = tokio::fs::remove_dir_all(&logs);
        match control.faults().around("file.remove-logs", remove, no_answer).await {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file("remove", logs)(source));
            }
            Ok(()) | Err(_) => {}
        }
    }
    control.tracker().forget(&jobs::key(job), job.id);
    control.store().delete_job(job.id).await?;
    Ok(Done::default())
}
