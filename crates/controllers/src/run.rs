//! Starts the watches, waits until the world is complete, then runs the loops.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Endpoints, Namespace, Node, Pod, Service};
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
    Settings, deployment, endpoints, garbage, namespace, pod_garbage, replica_set, scheduler,
    service_account, volumes,
};

const FIRST_DELAY: Duration = Duration::from_millis(20);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Runs all controllers and the scheduler until `stop`. The handle ends soon after that, and not before.
///
/// `client` needs the rights of a controller manager: everything, on all kinds.
pub fn spawn(client: Client, settings: Settings, stop: CancellationToken) -> JoinHandle<()> {
    start(client, settings, stop, all)
}

/// As [`spawn`], the scheduler alone, for a control plane that has the other controllers.
pub fn spawn_scheduler(client: Client, stop: CancellationToken) -> JoinHandle<()> {
    start(client, Settings::default(), stop, scheduler)
}

type Loops = fn(&Arc<Hub>, &CancellationToken, &mut JoinSet<()>);

fn start(
    client: Client,
    settings: Settings,
    stop: CancellationToken,
    loops: Loops,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let Some(kinds) = discover(&client, &stop).await else { return };
        let hub = Arc::new(Hub::new(client, kinds, settings));
        let synced = Arc::new(Synced::new());
        let mut tasks = JoinSet::new();
        let watches = watch_all(&hub, &synced, &stop, &mut tasks);
        tokio::select! {
            () = synced.wait_for(watches) => loops(&hub, &stop, &mut tasks),
            () = stop.cancelled() => {}
        }
        while tasks.join_next().await.is_some() {}
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

fn watch_all(
    hub: &Arc<Hub>,
    synced: &Arc<Synced>,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> usize {
    let mut count = 0;
    for (kind, resource) in hub.kinds.watched() {
        count += 1;
        let (hub, synced, stop, client) =
            (Arc::clone(hub), Arc::clone(synced), stop.clone(), hub.client.clone());
        match kind {
            Kind::Pod => {
                tasks.spawn(follow(hub, kind, Api::<Pod>::all(client), Reduce::facts, synced, stop))
            }
            Kind::ReplicaSet => tasks.spawn(follow(
                hub,
                kind,
                Api::<ReplicaSet>::all(client),
                Reduce::facts,
                synced,
                stop,
            )),
            Kind::Deployment => tasks.spawn(follow(
                hub,
                kind,
                Api::<Deployment>::all(client),
                Reduce::facts,
                synced,
                stop,
            )),
            Kind::Service => tasks.spawn(follow(
                hub,
                kind,
                Api::<Service>::all(client),
                Reduce::facts,
                synced,
                stop,
            )),
            Kind::Endpoints => tasks.spawn(follow(
                hub,
                kind,
                Api::<Endpoints>::all(client),
                Reduce::facts,
                synced,
                stop,
            )),
            Kind::Node => tasks.spawn(follow(
                hub,
                kind,
                Api::<Node>::all(client),
                Reduce::facts,
                synced,
                stop,
            )),
            Kind::Namespace => tasks.spawn(follow(
                hub,
                kind,
                Api::<Namespace>::all(client),
                Reduce::facts,
                synced,
                stop,
            )),
            Kind::ServiceAccount | Kind::ConfigMap | Kind::Other(_) => tasks.spawn(follow(
                hub,
                kind,
                Api::<Bare>::all_with(client, resource),
                |_| Facts::Plain,
                synced,
                stop,
            )),
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
}

fn all(hub: &Arc<Hub>, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
    scheduler(hub, stop, tasks);
    serve!(tasks, hub, stop, "service accounts", service_accounts, service_account::look);
    serve!(tasks, hub, stop, "deployments", deployments, deployment::look);
    serve!(tasks, hub, stop, "replica sets", replica_sets, replica_set::look);
    serve!(tasks, hub, stop, "endpoints", endpoints, endpoints::look);
    serve!(tasks, hub, stop, "garbage", garbage, garbage::look);
    serve!(tasks, hub, stop, "namespaces", namespaces, namespace::look);
    serve!(tasks, hub, stop, "pod garbage", pod_garbage, pod_garbage::look);
    if hub.kinds.of_reference("v1", "PersistentVolumeClaim").is_some() {
        tasks.spawn(volumes::run(hub.client.clone(), stop.clone()));
    }
}
