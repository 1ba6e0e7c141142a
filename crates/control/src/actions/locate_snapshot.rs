use flumen_lifecycle::Finding;
use flumen_model::{RunId, StartFrom};
use flumen_store::Job;

use super::{Done, run_of};
use crate::{Control, Error, snapshots};

/// Finds what the run starts from, and sees that it is whole where Flumen can look.
pub(super) async fn locate_snapshot(
    control: &Control,
    job: &Job,
    run: RunId,
) -> Result<Done, Error> {
    let run = run_of(control, run).await?;
    let path = match &run.start.from {
        StartFrom::Nothing => None,
        StartFrom::Latest => snapshots::latest(control, job).await?,
        StartFrom::Path { path } => {
            snapshots::check(control, &job.environment, path).await?;
            Some(path.clone())
        }
    };
    control.store().save_run_restored(run.id, path.as_deref()).await?;
    let detail = match (&path, &run.start.from) {
        (Some(path), _) => path.clone(),
        (None, StartFrom::Latest) => "the job has no snapshot: starts with empty state".to_owned(),
        (None, _) => "starts with empty state".to_owned(),
    };
    Ok(Done { detail: Some(detail), finding: Finding::Restore(path) })
}
