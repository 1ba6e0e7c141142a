use std::{pin::pin, sync::MutexGuard};

use flumen_k8s::{Observation, WatchScope};
use flumen_lifecycle::{Component, DeploymentSeen, Index, PodSeen, Watched};
use flumen_model::{ClusterId, JobId, Namespace};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{Place, Tracker};
use crate::{clock::whole_milliseconds, clusters::needs_another};

/// How long to wait before a cluster whose handle cannot be made is tried again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Feeds the index from one watch of a namespace of the cluster until told to stop.
pub(super) async fn run(tracker: Tracker, area: (String, Namespace), stop: CancellationToken) {
    let (cluster, namespace) = area;
    let watched = Watching { tracker: &tracker, area: (&cluster, &namespace), stop: &stop };
    // Whoever watched it before knew what was there, and would have said what is gone.
    watched.begin_anew();
    let mut told = String::new();
    loop {
        match tracker.inner.clusters.get(&cluster).await {
            Ok(handle) => {
                let scope = WatchScope { namespace: Some(namespace.clone()), cluster_id: None };
                let mut observations = handle.watch(&scope);
                let mut end = pin!(needs_another(&handle));
                loop {
                    let observation = tokio::select! {
                        () = stop.cancelled() => return,
                        () = &mut end => break,
                        observation = observations.next() => observation,
                    };
                    let Some(observation) = observation else { break };
                    note_configuration(&tracker, &cluster, &observation).await;
                    for job in watched.feed(observation) {
                        tracker.wake(job);
                    }
                }
                watched.begin_anew();
            }
            Err(error) => {
                let reason = error.paragraph();
                if reason != told {
                    tracing::warn!(
                        cluster.id = cluster,
                        error = reason,
                        "the cluster cannot be watched"
                    );
                    told = reason;
                }
                for job in watched.away() {
                    tracker.wake(job);
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// One who watches a namespace of a cluster.
struct Watching<'a> {
    tracker: &'a Tracker,
    area: (&'a str, &'a Namespace),
    stop: &'a CancellationToken,
}

impl Watching<'_> {
    /// What is seen goes there as long as nobody else watches the same: whoever does is let in after this one is told to
    /// stop, and begins by clearing away what it said.
    fn index(&self) -> Option<MutexGuard<'_, Index>> {
        let index = self.tracker.index();
        (!self.stop.is_cancelled()).then_some(index)
    }

    fn begin_anew(&self) {
        if let Some(mut index) = self.index() {
            index.begin_anew(self.area);
        }
    }

    /// There is no handle of the cluster, so nobody can look at anything there.
    fn away(&self) -> Vec<JobId> {
        let (area, now) = (self.area, whole_milliseconds(crate::clock::now()));
        let Some(mut index) = self.index() else { return Vec::new() };
        index.unreachable(area, Watched::Deployments, now);
        index.unreachable(area, Watched::Pods, now)
    }

    fn feed(&self, observation: Observation) -> Vec<JobId> {
        let (tracker, area, cluster) = (self.tracker, self.area, self.area.0);
        let Some(mut index) = self.index() else { return Vec::new() };
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
            Observation::HighAvailability { namespace, cluster_id } => {
                let job = key(cluster, &namespace, &cluster_id).and_then(|key| index.job_at(&key));
                if let Some(job) = job {
                    tracker.state_moved(job);
                }
                Vec::new()
            }
            Observation::HighAvailabilityGone { namespace, cluster_id } => {
                let job = key(cluster, &namespace, &cluster_id).and_then(|key| index.job_at(&key));
                if let Some(job) = job {
                    tracker.state_gone(job);
                }
                Vec::new()
            }
            Observation::ConfigurationGone { .. } => Vec::new(),
            Observation::Resync { watched, as_of } => match sort(watched) {
                Some(watched) => index.looked(area, watched, whole_milliseconds(as_of)),
                None => Vec::new(),
            },
            Observation::Unreachable { watched, since, reason } => {
                tracing::warn!(cluster.id = cluster, %since, reason, "the cluster cannot be looked at");
                match sort(watched) {
                    Some(watched) => index.unreachable(area, watched, whole_milliseconds(since)),
                    None => Vec::new(),
                }
            }
        }
    }
}

/// Names it when someone deletes what a JobManager needs to start again.
async fn note_configuration(tracker: &Tracker, cluster: &str, observation: &Observation) {
    let Observation::ConfigurationGone { namespace, cluster_id } = observation else { return };
    let job = key(cluster, namespace, cluster_id).and_then(|key| tracker.index().job_at(&key));
    if let Some(job) = job {
        let message = format!(
            "someone deleted the ConfigMap flink-config-{cluster_id}; the job runs on, but a JobManager that starts again finds no configuration: restart the job"
        );
        tracker.note_deletion(job, &message).await;
    }
}

/// What decisions rest on; ConfigMaps only make them faster.
const fn sort(watched: flumen_k8s::Watched) -> Option<Watched> {
    match watched {
        flumen_k8s::Watched::Deployments => Some(Watched::Deployments),
        flumen_k8s::Watched::Pods => Some(Watched::Pods),
        flumen_k8s::Watched::ConfigMaps => None,
    }
}

/// Where the object lives; none if its namespace cannot be one of ours.
fn key(cluster: &str, namespace: &str, id: &ClusterId) -> Option<Place> {
    let namespace: Namespace = namespace.parse().ok()?;
    Some(Place { cluster: cluster.to_owned(), namespace, id: id.clone() })
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
