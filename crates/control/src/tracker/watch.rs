use flumen_k8s::{Observation, WatchScope};
use flumen_lifecycle::{Component, DeploymentSeen, PodSeen};
use flumen_model::{ClusterId, JobId, Namespace};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{Key, Tracker};
use crate::clock::whole_milliseconds;

/// How long to wait before a cluster whose handle cannot be made is tried again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Feeds the index from one watch of the cluster until the server stops.
pub(super) async fn run(tracker: Tracker, cluster: String, stop: CancellationToken) {
    loop {
        match tracker.inner.clusters.get(&cluster).await {
            Ok(handle) => {
                let mut observations = handle.watch(&WatchScope::default());
                loop {
                    let observation = tokio::select! {
                        () = stop.cancelled() => return,
                        observation = observations.next() => observation,
                    };
                    let Some(observation) = observation else { break };
                    for job in feed(&tracker, &cluster, observation) {
                        tracker.wake(job);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(
                    cluster.id = cluster,
                    error = error.paragraph(),
                    "the cluster cannot be watched"
                );
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

fn feed(tracker: &Tracker, cluster: &str, observation: Observation) -> Vec<JobId> {
    let mut index = tracker.index();
    match observation {
        Observation::Deployment(seen) => key(cluster, &seen.namespace, &seen.cluster_id)
            .and_then(|key| index.deployment(key, reduce_deployment(&seen)))
            .into_iter()
            .collect(),
        Observation::DeploymentGone { namespace, cluster_id, as_of, .. } => {
            key(cluster, &namespace, &cluster_id)
                .and_then(|key| index.deployment_gone(&key, whole_milliseconds(as_of)))
                .into_iter()
                .collect()
        }
        Observation::Pod(seen) => key(cluster, &seen.namespace, &seen.cluster_id)
            .zip(reduce_pod(&seen))
            .and_then(|(key, pod)| index.pod(key, pod))
            .into_iter()
            .collect(),
        Observation::PodGone { namespace, cluster_id, name, .. } => {
            key(cluster, &namespace, &cluster_id)
                .and_then(|key| index.pod_gone(&key, &name))
                .into_iter()
                .collect()
        }
        Observation::Resync { watched, as_of } => {
            index.looked(cluster, watched, whole_milliseconds(as_of))
        }
        Observation::Unreachable { watched, since, reason } => {
            tracing::warn!(cluster.id = cluster, %since, reason, "the cluster does not answer");
            index.unreachable(cluster, watched, whole_milliseconds(since))
        }
    }
}

/// Where the object lives; none if its namespace cannot be one of ours.
fn key(cluster: &str, namespace: &str, id: &ClusterId) -> Option<Key> {
    let namespace: Namespace = namespace.parse().ok()?;
    Some(Key { cluster: cluster.to_owned(), namespace, id: id.clone() })
}

fn reduce_deployment(seen: &flumen_k8s::DeploymentSeen) -> DeploymentSeen {
    DeploymentSeen {
        run: seen.run_id.as_deref().and_then(|text| text.parse().ok()),
        deleting: seen.deleting,
        replicas: seen.replicas,
    }
}

fn reduce_pod(seen: &flumen_k8s::PodSeen) -> Option<PodSeen> {
    let component = match seen.component {
        flumen_k8s::Component::JobManager => Component::JobManager,
        flumen_k8s::Component::TaskManager => Component::TaskManager,
        flumen_k8s::Component::Other => return None,
    };
    Some(PodSeen {
        name: seen.name.clone(),
        component,
        ready: seen.ready,
        deleting: seen.deleting,
        unschedulable: seen.unschedulable.clone(),
        waiting: seen.waiting.as_ref().map(|wait| (wait.reason.clone(), wait.message.clone())),
        restarts: seen.restarts,
        last_exit: seen.terminated.as_ref().map(|end| end.exit_code),
    })
}
