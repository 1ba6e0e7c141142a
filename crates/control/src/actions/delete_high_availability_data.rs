use flumen_model::RunId;
use flumen_store::Job;

use super::Done;
use crate::{Control, Error, jobs};

/// Deletes Flink's high-availability ConfigMaps, which no Deployment owns. They are named by the cluster id:
/// where another Deployment has taken the run's place, they are another's too.
pub(super) async fn delete_high_availability_data(
    control: &Control,
    job: &Job,
    run: RunId,
) -> Result<Done, Error> {
    let key = jobs::place(job);
    let cluster = control.clusters_handle().get(&key.cluster).await?;
    let standing = cluster.deployment(&key.namespace, &key.id).await?;
    let run = run.to_string();
    if standing.is_some_and(|deployment| deployment.run_id.as_deref() != Some(run.as_str())) {
        return Ok(Done::with(
            "the Deployment of that name is not this run's; its data is left as it is",
        ));
    }
    let names = cluster.config_maps_of_ha(&key.namespace, &key.id).await?;
    for name in &names {
        cluster.delete_config_map(&key.namespace, name).await?;
    }
    Ok(Done::with(format!("{} ConfigMaps", names.len())))
}
