use std::time::Duration;

use flumen_k8s::{Deletion, Guard};
use flumen_model::RunId;
use flumen_store::Job;

use super::Done;
use crate::{Control, Error, jobs};

/// How often to look whether a Deployment that was deleted is gone.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A pod may take its grace period of 30 s; meanwhile other jobs have their turn, and the watch says when it is
/// over.
const PATIENCE: Duration = Duration::from_secs(2);

/// Deletes the run's Deployment and waits until it and all it owned is gone. Another's is left alone.
pub(super) async fn delete_deployment(
    control: &Control,
    job: &Job,
    run: RunId,
) -> Result<Done, Error> {
    let key = jobs::place(job);
    let cluster = control.clusters_handle().get(&key.cluster).await?;
    let began = tokio::time::Instant::now();
    loop {
        match cluster.delete_deployment(&key.namespace, &key.id, &Guard::Run(run)).await {
            Ok(Deletion::Gone) => return Ok(Done::default()),
            Ok(Deletion::Underway) => {}
            Err(flumen_k8s::Error::DeploymentTaken { .. }) => {
                return Ok(Done::with(
                    "the Deployment of that name is not this run's; left as it is",
                ));
            }
            Err(error) => return Err(error.into()),
        }
        if began.elapsed() > PATIENCE {
            let message = format!(
                "Deployment {} was deleted and is still there; its pods take their time to end",
                key.id
            );
            return Err(Error::Underway { message });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
