use flumen_store::Job;

use super::Done;
use crate::{
    Control, Error, clock,
    error::no_answer,
    jobs,
    storage::{self, Look},
};

/// Removes the saved logs of the job's runs and what Flink kept of them beside savepoints, and then the job
/// from the database: the other way round nobody would know any more whose they are.
pub(super) async fn forget(control: &Control, job: &Job) -> Result<Done, Error> {
    let (files, left) = match control.storages().of(&job.environment).await? {
        Look::Into(files) => (Some(files), None),
        Look::Never(why) => (None, Some(why)),
    };
    for run in control.store().runs(job.id).await? {
        if let (Some(files), Some(plan)) = (&files, &run.plan) {
            for directory in [&plan.checkpoints, &plan.high_availability].into_iter().flatten() {
                // A directory that others share is not the run's to remove.
                if directory.contains(&run.id.to_string()) {
                    let remove = files.remove(directory);
                    control
                        .faults()
                        .around("file.remove-state", remove, storage::no_answer)
                        .await?;
                }
            }
        }
        let logs = control.run_logs(run.id);
        let remove = tokio::fs::remove_dir_all(&logs);
        match control.faults().around("file.remove-logs", remove, no_answer).await {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file("remove", logs)(source));
            }
            Ok(()) | Err(_) => {}
        }
    }
    control.tracker().forget(&jobs::place(job), job.id);
    control.store().delete_job(job.id, clock::now()).await?;
    Ok(match left {
        None => Done::default(),
        Some(why) => Done::with(format!(
            "what Flink kept in storage is left, as Flumen cannot remove it: {why}"
        )),
    })
}
