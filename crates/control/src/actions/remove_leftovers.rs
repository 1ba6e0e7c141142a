use flumen_k8s::Guard;
use flumen_model::RunId;
use flumen_store::Job;

use super::Done;
use crate::{Control, Error, jobs};

/// Removes what an ended run of this job left under its cluster id. What is not this job's is refused:
/// the new run would meet another's pods or take up another's state.
pub(super) async fn remove_leftovers(
    control: &Control,
    job: &Job,
    run: RunId,
) -> Result<Done, Error> {
    let key = jobs::key(job);
    let cluster = control.clusters_handle().get(&key.cluster).await?;
    let left = cluster.leftovers(&key.namespace, &key.id).await?;
    if left.is_empty() {
        return Ok(Done::with("nothing was left"));
    }
    if let Some(deployment) = &left.deployment {
        let owner = deployment.run_id.as_deref().and_then(|text| text.parse::<RunId>().ok());
        if owner == Some(run) {
            return Ok(Done::with("the objects of this run stand already"));
        }
        let ours = match owner {
            Some(owner) => control.store().run(owner).await?.filter(|known| known.job == job.id),
            None => None,
        };
        let Some(old) = ours else {
            let message = format!(
                "a Deployment {} that Flumen did not make for this job stands in namespace {}; delete it or rename the job",
                key.id, key.namespace
            );
            return Err(Error::Conflict { message });
        };
        cluster.delete_deployment(&key.namespace, &key.id, &Guard::Run(old.id)).await?;
        let message = format!("the Deployment of run {} of the job is being removed", old.number);
        return Err(Error::Underway { message });
    }
    if !left.pods.is_empty() {
        let pods: Vec<_> = left.pods.iter().map(|pod| pod.name.as_str()).collect();
        let message =
            format!("pods of an earlier run of the job are still there: {}", pods.join(", "));
        return Err(Error::Underway { message });
    }
    if !left.services.is_empty() {
        let services = left.services.join(", ");
        let message = format!("Services of an earlier run of the job are still there: {services}");
        return Err(Error::Underway { message });
    }
    for name in &left.ha_config_maps {
        cluster.delete_config_map(&key.namespace, name).await?;
    }
    Ok(Done::with(format!("removed {} ConfigMaps of an earlier run", left.ha_config_maps.len())))
}
