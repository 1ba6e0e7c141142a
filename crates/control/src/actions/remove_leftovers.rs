use flumen_k8s::Guard;
use flumen_model::{LeftoverPolicy, RunId};
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
    let place = jobs::place(job);
    let cluster = control.clusters_handle().get(&place.cluster).await?;
    let left = cluster.leftovers(&place.namespace, &place.id).await?;
    if left.is_empty() {
        return Ok(Done::with("nothing was left"));
    }
    let own = |deployment: &flumen_k8s::DeploymentSeen| {
        deployment.run_id.as_deref() == Some(run.to_string().as_str())
    };
    let policy = job.spec.leftovers;
    if policy == LeftoverPolicy::Refuse && !left.deployment.as_ref().is_some_and(own) {
        let message = format!(
            "{} of an earlier cluster {} stand in namespace {}, and the job's leftovers policy refuses to start beside them; remove them, or set leftovers: own",
            told(&left),
            place.id,
            place.namespace
        );
        return Err(Error::Conflict { message });
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
                place.id, place.namespace
            );
            return Err(Error::Conflict { message });
        };
        cluster.delete_deployment(&place.namespace, &place.id, &Guard::Run(old.id)).await?;
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
    let earlier = control
        .store()
        .runs(job.id)
        .await?
        .iter()
        .any(|known| known.objects.is_some() && known.id != run);
    if !earlier && policy != LeftoverPolicy::Remove && !left.ha_config_maps.is_empty() {
        let message = format!(
            "the high-availability data of another Flink cluster {} stand in namespace {} ({}), and this job never ran there: its state would be taken up or lost; remove them if nobody needs them, or set leftovers: remove",
            place.id,
            place.namespace,
            left.ha_config_maps.join(", ")
        );
        return Err(Error::Conflict { message });
    }
    for name in &left.ha_config_maps {
        cluster.delete_config_map(&place.namespace, name).await?;
    }
    Ok(Done::with(format!("removed {} ConfigMaps of an earlier run", left.ha_config_maps.len())))
}

fn told(left: &flumen_k8s::Leftovers) -> String {
    let mut parts = Vec::new();
    if left.deployment.is_some() {
        parts.push("a Deployment".to_owned());
    }
    for (count, what) in [
        (left.pods.len(), "pods"),
        (left.services.len(), "Services"),
        (left.ha_config_maps.len(), "ConfigMaps"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}
