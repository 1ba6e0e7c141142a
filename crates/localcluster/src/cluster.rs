//! Puts the parts together, in the order in which they need each other, and takes them apart in the opposite one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use flumen_kubelet::NodeNetwork;
use futures::FutureExt as _;
use futures::future::{Fuse, FusedFuture as _};
use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::control_plane::ControlPlane;
use crate::directory::DataDirectory;
use crate::listen::{listen, local_address};
use crate::{Door, Error, Settings, node, objects};

pub(crate) const API: &str = "Kubernetes API";
const REGISTRY: &str = "image registry";
const DOOR: &str = "door to the host";

/// A running local cluster.
#[derive(Debug)]
pub struct LocalCluster {
    kubeconfig: PathBuf,
    url: String,
    registry: SocketAddr,
    main: JoinHandle<Result<(), Error>>,
}

impl LocalCluster {
    /// Starts a cluster, or the one that a data directory holds, and waits until its node is ready.
    ///
    /// As an ordinary user the process must have called [`crate::enter_user_namespace`] before.
    ///
    /// When `stop` is cancelled, the pods are ended as when a machine is shut down: they come back with the cluster.
    ///
    /// # Errors
    /// If the data directory or an address is in use, or a part does not start. Nothing is left running then.
    pub async fn start(settings: Settings, stop: CancellationToken) -> Result<Self, Error> {
        // The futures of the parts together are larger than a stack should carry.
        Box::pin(Self::put_together(settings, stop)).await
    }

    async fn put_together(settings: Settings, stop: CancellationToken) -> Result<Self, Error> {
        if settings.helper.is_empty() {
            return Err(Error::NoHelper);
        }
        raise_open_files();
        let begun = Timestamp::now();
        let directory = DataDirectory::open(&settings.data_directory)?;
        let api_listener = listen(API, settings.listen)?;
        let registry_listener = listen(REGISTRY, settings.registry_listen)?;
        let url = format!("https://{}", local_address(API, &api_listener, settings.listen)?);
        let registry = local_address(REGISTRY, &registry_listener, settings.registry_listen)?;

        let registry_directory = directory.private("registry")?;
        let network = node::network().await?;
        let stops = Stops::default();
        let (control_plane, serving) = ControlPlane::start(
            (&directory, &settings, &network),
            (api_listener, &url),
            &stops.api,
        )
        .await?;
        let text = control_plane.administrator_kubeconfig(&url);
        let kubeconfig = directory.write_private("kubeconfig", &text)?;
        let client = control_plane.client("system:kube-controller-manager", &url).await?;
        objects::make(&client, &settings.objects).await?;
        let door = open_door(&settings, &network, &stops.door).await?;
        let kubelet = node::settings(&directory, &settings, &control_plane, &url, network).await?;
        let pretend = node::pretended(&settings);
        let names = [node::names(&settings), pretend.clone()].concat();
        let ready = node::all_ready(client.clone(), names, begun);
        let pretend = pretend_nodes(&control_plane, &url, pretend, &stops.kubelet).await?;
        let mut parts = Parts {
            controllers: control_plane.control(client, stops.controllers.clone()).fuse(),
            kubelet: tokio::spawn(flumen_kubelet::run(kubelet, stops.kubelet.clone())).fuse(),
            pretend,
            registry: tokio::spawn(flumen_registry::serve(
                registry_listener,
                registry_directory,
                stops.registry.clone(),
            ))
            .fuse(),
            door,
            serving,
            stops,
            control_plane,
            _directory: directory,
        };
        let outcome = tokio::select! {
            ready = ready => ready,
            ended = parts.first_end() => ended,
            () = stop.cancelled() => Ok(()),
        };
        if let Err(error) = outcome {
            let _ = parts.shut_down().await;
            return Err(error);
        }
        Ok(Self { kubeconfig, url, registry, main: tokio::spawn(parts.run(stop)) })
    }

    /// The file with which `kubectl` and others reach the cluster as its administrator.
    pub fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig
    }

    /// The address of the Kubernetes API.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of the image registry: plain HTTP.
    pub fn registry(&self) -> SocketAddr {
        self.registry
    }

    /// Waits until the cluster has ended: because it was told to, or because a part failed.
    ///
    /// # Errors
    /// If a part failed.
    pub async fn stopped(self) -> Result<(), Error> {
        self.main.await.unwrap_or(Err(Error::Ended { part: "supervisor" }))
    }
}

/// Each client is an open file, and shells allow fewer than there may be watches. A container gets as many as are allowed anyway.
fn raise_open_files() {
    let files = getrlimit(Resource::Nofile);
    let all = Rlimit { current: files.maximum, maximum: files.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        tracing::debug!(%error, "could not raise the number of open files");
    }
}

/// A cluster without a door has a part there that only waits.
async fn open_door(
    settings: &Settings,
    network: &NodeNetwork,
    stop: &CancellationToken,
) -> Result<Part<()>, Error> {
    let Some(door) = settings.door.clone() else {
        return Ok(tokio::spawn(stop.clone().cancelled_owned()).fuse());
    };
    let address = Door::ADDRESS;
    let listener = network.listen(address).await;
    let listener = listener.map_err(|source| Error::Listen { what: DOOR, address, source })?;
    Ok(tokio::spawn(door.serve(listener, stop.clone())).fuse())
}

/// Without such nodes there is a part that only waits.
async fn pretend_nodes(
    control_plane: &ControlPlane,
    url: &str,
    names: Vec<String>,
    stop: &CancellationToken,
) -> Result<Part<Result<(), flumen_kubelet::Error>>, Error> {
    if names.is_empty() {
        let waits = stop.clone().cancelled_owned();
        return Ok(tokio::spawn(waits.map(|()| Ok(()))).fuse());
    }
    let client = control_plane.client("system:node:pretend", url).await?;
    Ok(tokio::spawn(flumen_kubelet::pretend(client, names, stop.clone())).fuse())
}

/// Each part is stopped by itself, because the others need it while they end.
#[derive(Debug, Default)]
struct Stops {
    controllers: CancellationToken,
    kubelet: CancellationToken,
    registry: CancellationToken,
    door: CancellationToken,
    api: CancellationToken,
}

/// A part that runs; its end is seen once.
pub(crate) type Part<T> = Fuse<JoinHandle<T>>;

#[derive(Debug)]
struct Parts {
    controllers: Part<()>,
    kubelet: Part<Result<(), flumen_kubelet::Error>>,
    /// The nodes that only pretend.
    pretend: Part<Result<(), flumen_kubelet::Error>>,
    registry: Part<Result<(), flumen_registry::Error>>,
    door: Part<()>,
    /// On the host and inside the node's network.
    serving: [Part<()>; 2],
    stops: Stops,
    control_plane: ControlPlane,
    _directory: DataDirectory,
}

impl Parts {
    async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        let first = tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = self.first_end() => ended,
        };
        first.and(self.shut_down().await)
    }

    /// Waits for the first part that ends without having been told to: that is always a failure.
    async fn first_end(&mut self) -> Result<(), Error> {
        let ended = |part| Error::Ended { part };
        let [outside, inside] = &mut self.serving;
        Err(tokio::select! {
            _ = outside => ended(API),
            _ = inside => ended(API),
            _ = &mut self.door => ended(DOOR),
            program = self.control_plane.first_end() => ended(program),
            _ = &mut self.controllers => ended("controllers"),
            outcome = &mut self.kubelet => failure(outcome, Error::Kubelet).unwrap_or_else(|| ended("kubelet")),
            outcome = &mut self.pretend => failure(outcome, Error::Kubelet).unwrap_or_else(|| ended("kubelet")),
            outcome = &mut self.registry => failure(outcome, Error::Registry).unwrap_or_else(|| ended("registry")),
        })
    }

    /// First those who would replace what ends, then the pods, at last the API server, which must hear of it all.
    async fn shut_down(mut self) -> Result<(), Error> {
        self.stops.controllers.cancel();
        finish(&mut self.controllers).await;
        self.stops.kubelet.cancel();
        let kubelet =
            finish(&mut self.kubelet).await.and_then(|outcome| failure(outcome, Error::Kubelet));
        finish(&mut self.pretend).await;
        self.stops.door.cancel();
        finish(&mut self.door).await;
        self.stops.registry.cancel();
        let registry =
            finish(&mut self.registry).await.and_then(|outcome| failure(outcome, Error::Registry));
        self.stops.api.cancel();
        for serving in &mut self.serving {
            finish(serving).await;
        }
        kubelet.or(registry).map_or(Ok(()), Err)
    }
}

/// Waits for a part, unless its end was seen before: then `None`.
async fn finish<T>(part: &mut Part<T>) -> Option<Result<T, JoinError>> {
    if part.is_terminated() { None } else { Some(part.await) }
}

fn failure<E>(outcome: Result<Result<(), E>, JoinError>, wrap: fn(E) -> Error) -> Option<Error> {
    match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(wrap(error)),
        Err(_) => Some(Error::Ended { part: "cluster" }),
    }
}
