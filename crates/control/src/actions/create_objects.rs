use flumen_model::RunId;
use flumen_store::Job;

use super::{Done, run_of};
use crate::{Control, Error, jobs};

/// Creates the objects that were rendered for the run.
pub(super) async fn create_objects(
    control: &Control,
    job: &Job,
    run: RunId,
) -> Result<Done, Error> {
    let run = run_of(control, run).await?;
    let (deployment, mut others) = super::render_objects::saved(&run)?;
    let key = jobs::place(job);
    let cluster = control.clusters_handle().get(&key.cluster).await?;
    cluster.ensure_namespace(&key.namespace).await?;
    if let Some(delivery) = &run.delivery {
        // The JobManager's pod waits for them.
        let environment = control.environment(&job.environment).await?;
        let place = (&key, &environment);
        let first = control.fetch_objects(place, (run.id, delivery), &deployment).await?;
        others.splice(0..0, first);
    }
    let count = others.len() + 1;
    let created = cluster.create_objects(&key.namespace, &deployment, &others).await?;
    let how = if created.existed { "went on with" } else { "created" };
    Ok(Done::with(format!("{how} {count} objects in namespace {}", key.namespace)))
}
