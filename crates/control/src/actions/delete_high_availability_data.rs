use flumen_model::RunId;
use flumen_store::Job;

use super::Done;
use crate::{Control, Error, jobs};

/// Deletes Flink's high-availability ConfigMaps, which no Deployment owns. They are named by the cluster id:
/// where another Deployment has taken the run's place, they are another's too. A JobManager that still runs
/// would not bear it, and the watch of pods may know less than that of Deployments, so pods are looked at here.
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
    let pods = cluster.pods_of(&key.namespace, &key.id).await?;
    if !pods.is_empty() {
        let names: Vec<_> = pods.iter().map(|pod| pod.name.as_str()).collect();
        let message = format!("pods of the run are still there: {}", names.join(", "));
        return Err(Error::Underway { message });
    }
    let names = cluster.config_maps_of_ha(&key.namespace, &key.id).await?;
    for name in &names {
        cluster.delete_config_map(&key.namespace, name).await?;
    }
    Ok(Done::with(format!("{} ConfigMaps", names.len())))
}
