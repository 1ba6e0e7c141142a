//! Starts the watches, waits until the world is complete, then runs the loops.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{
    Endpoints, Namespace, Node, PersistentVolumeClaim, Pod, ResourceQuota, Service,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Client;
use kube::api::Api;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::facts::Facts;
use crate::hub::Hub;
use crate::kinds::{Kind, Kinds};
use crate::reduce::{Bare, Reduce};
use crate::watch::{Synced, follow};
use crate::{
    Settings, deployment, eviction, garbage, namespace, node, pod_garbage, quota, replica_set,
    roles, scheduler, service_account, services, volumes,
};

const FIRST_DELAY: Duration = Duration::from_millis(20);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Runs all controllers and the scheduler until `stop`. The handle ends soon after that, and not before.
///
/// `client` needs the rights of a controller manager: everything, on all kinds.
pub fn spawn(client: Client, settings: Settings, stop: CancellationToken) -> JoinHandle<()> {
    start(client, stop, |client, kinds| Hub::new(client, kinds, settings), all)
}

/// As [`spawn`], the scheduler alone, for a control plane that has the other controllers.
pub fn spawn_scheduler(client: Client, stop: CancellationToken) -> JoinHandle<()> {
    start(client, stop, Hub::of_scheduler, scheduler)
}

type Loops = fn(&Arc<Hub>, &CancellationToken, &mut JoinSet<()>);

fn start(
    client: Client,
    stop: CancellationToken,
    hub: impl FnOnce(Client, Kinds) -> Hub + Send + 'static,
    loops: Loops,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let Some(kinds) = discover(&client, &stop).await else { return };
        let hub = Arc::new(hub(client, kinds));
        let synced = Arc::new(Synced::new());
        let mut tasks = JoinSet::new();
        let watches = watch_all(&hub, &synced, &stop, &mut tasks);
        tokio::select! {
            () = synced.wait_for(watches) => loops(&hub, &stop, &mut tasks),
            () = stop.cancelled() => {}
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a controller ended; nothing does its work until the next start"
                );
            }
        }
    })
}

/// The kinds that the API server has; `None` if it was not reached before `stop`.
async fn discover(client: &Client, stop: &CancellationToken) -> Option<Kinds> {
    let mut delay = FIRST_DELAY;
    loop {
        let error = tokio::select! {
            found = Kinds::discover(client) => match found {
                Ok(kinds) => return Some(kinds),
                Err(error) => error,
            },
            () = stop.cancelled() => return None,
        };
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "the API server does not answer yet"
        );
        tokio::select! {
            () = tokio::time::sleep(delay) => delay = (delay * 2).min(LONGEST_DELAY),
            () = stop.cancelled() => return None,
        }
    }
}

macro_rules! reduced {
    ($tasks:expr, $hub:expr, $object:ty, $synced:expr, $stop:expr) => {{
        let (kind, api) = (<$object as Reduce>::KIND, Api::<$object>::all($hub.client.clone()));
        $tasks.spawn(follow($hub, kind, api, Reduce::facts, $synced, $stop))
    }};
}

fn watch_all(
    hub: &Arc<Hub>,
    synced: &Arc<Synced>,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> usize {
    let mut count = 0;
    for (kind, resource) in hub.followed() {
        count += 1;
        let (hub, synced, stop) = (Arc::clone(hub), Arc::clone(synced), stop.clone());
        match kind {
            Kind::Pod => reduced!(tasks, hub, Pod, synced, stop),
            Kind::ReplicaSet => reduced!(tasks, hub, ReplicaSet, synced, stop),
            Kind::Deployment => reduced!(tasks, hub, Deployment, synced, stop),
            Kind::Service => reduced!(tasks, hub, Service, synced, stop),
            Kind::Endpoints => reduced!(tasks, hub, Endpoints, synced, stop),
            Kind::EndpointSlice => reduced!(tasks, hub, EndpointSlice, synced, stop),
            Kind::Quota => reduced!(tasks, hub, ResourceQuota, synced, stop),
            Kind::Node => reduced!(tasks, hub, Node, synced, stop),
            Kind::Namespace => reduced!(tasks, hub, Namespace, synced, stop),
            Kind::Claim => reduced!(tasks, hub, PersistentVolumeClaim, synced, stop),
            Kind::StorageClass => reduced!(tasks, hub, StorageClass, synced, stop),
            Kind::ServiceAccount | Kind::ConfigMap | Kind::Lease | Kind::Other(_) => {
                let api = Api::<Bare>::all_with(hub.client.clone(), resource);
                tasks.spawn(follow(hub, kind, api, |_| Facts::Plain, synced, stop))
            }
        };
    }
    count
}

macro_rules! serve {
    ($tasks:expr, $hub:expr, $stop:expr, $name:literal, $queue:ident, $look:path) => {{
        let (hub, stop) = (Arc::clone($hub), $stop.clone());
        $tasks
            .spawn(async move { hub.queues.$queue.run($name, stop, |key| $look(&hub, key)).await });
    }};
}

fn scheduler(hub: &Arc<Hub>, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
    serve!(tasks, hub, stop, "scheduler", scheduler, scheduler::look);
    serve!(tasks, hub, stop, "room", room, scheduler::look_at_all);
}

fn all(hub: &Arc<Hub>, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
    scheduler(hub, stop, tasks);
    serve!(tasks, hub, stop, "service accounts", service_accounts, service_account::look);
    serve!(tasks, hub, stop, "deployments", deployments, deployment::look);
    serve!(tasks, hub, stop, "replica sets", replica_sets, replica_set::look);
    serve!(tasks, hub, stop, "services", services, services::look);
    serve!(tasks, hub, stop, "quotas", quotas, quota::look);
    serve!(tasks, hub, stop, "garbage", garbage, garbage::look);
    serve!(tasks, hub, stop, "namespaces", namespaces, namespace::look);
    serve!(tasks, hub, stop, "pod garbage", pod_garbage, pod_garbage::look);
    serve!(tasks, hub, stop, "nodes", nodes, node::look);
    let (beating, until) = (Arc::clone(hub), stop.clone());
    tasks.spawn(async move { node::beat(&beating, &until).await });
    serve!(tasks, hub, stop, "evictions", evictions, eviction::look);
    if hub.kinds.of_reference("v1", "PersistentVolumeClaim").is_some() {
        tasks.spawn(volumes::run(hub.client.clone(), stop.clone()));
    }
    if hub.kinds.of_reference("rbac.authorization.k8s.io/v1", "ClusterRole").is_some() {
        tasks.spawn(roles::run(hub.client.clone(), stop.clone()));
    }
}
