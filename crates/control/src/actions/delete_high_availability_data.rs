use flumen_model::RunId;
use flumen_store::Job;

use super::Done;
use crate::{Control, Error, jobs};

/// Deletes Flink's high-availability ConfigMaps, which no Deployment owns.
pub(super) async fn delete_high_availability_data(
    control: &Control,
    job: &Job,
    _run: RunId,
) -> Result<Done, Error> {
    let key = jobs::key(job);
    let cluster = control.clusters_handle().get(&key.cluster).await?;
    let names = cluster.config_maps_of_ha(&key.namespace, &key.id).await?;
    for name in &names {
        cluster.delete_config_map(&key.namespace, name).await?;
    }
    Ok(Done::with(format!("{} ConfigMaps", names.len())))
}
