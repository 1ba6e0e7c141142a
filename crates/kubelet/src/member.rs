//! One of this machine's nodes, from when it is switched on until it is switched off, again and again.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, NodeSettings,
    cgroups::Cgroups,
    directory::Directory,
    endpoint::Server,
    events::Recorder,
    images::Images,
    logs::Logs,
    node::Registration,
    pods::{self, Names, Node, Present},
    power::{self, Power},
    protocol::IdMap,
    runner::Runner,
    settings::Allocatable,
};

/// Directory of the nodes after the first one, each with its pods.
pub(crate) const NODES: &str = "nodes";
pub(crate) const PODS: &str = "pods";

/// What the nodes of a machine share.
pub(crate) struct Host {
    pub(crate) helper: Vec<std::ffi::OsString>,
    pub(crate) images: Images,
    pub(crate) directory: Directory,
    pub(crate) dns: SocketAddr,
    pub(crate) domain: String,
    pub(crate) api: SocketAddr,
    pub(crate) ids: IdMap,
    pub(crate) allocatable: Allocatable,
    pub(crate) shutdown_grace_period: Duration,
}

/// A node with what is its own.
pub(crate) struct Member {
    pub(crate) settings: NodeSettings,
    /// Directory of its pods.
    pub(crate) pods_directory: PathBuf,
    pub(crate) cgroups: Cgroups,
}

impl Member {
    /// The directory of the pods of the node with this number.
    pub(crate) fn pods_directory(data_directory: &Path, number: usize, name: &str) -> PathBuf {
        match number {
            0 => data_directory.join(PODS),
            _ => data_directory.join(NODES).join(name).join(PODS),
        }
    }

    /// Runs the node until `stop`; all its pods have ended then.
    pub(crate) async fn run(self, host: &Host, stop: CancellationToken) -> Result<(), Error> {
        let (sender, mut power) = watch::channel(Power::Unknown);
        let follow = power::follow(self.settings.client.clone(), &self.settings.name, sender);
        let live = async {
            loop {
                tokio::select! {
                    () = until(&mut power, Power::On) => {}
                    () = stop.cancelled() => return Ok(()),
                }
                if let Some(end) = self.live(host, &mut power, &stop).await {
                    return end;
                }
            }
        };
        tokio::select! {
            end = live => end,
            () = follow => Ok(()),
        }
    }

    /// From power to power failure; `None` after one.
    async fn live(
        &self,
        host: &Host,
        power: &mut watch::Receiver<Power>,
        stop: &CancellationToken,
    ) -> Option<Result<(), Error>> {
        let runner = Runner::new(&host.helper);
        let end = tokio::select! {
            end = Box::pin(self.serve(host, runner.clone())) => Some(end),
            () = runner.gone() => Some(Err(Error::SupervisorEnded)),
            () = stop.cancelled() => Some(Ok(())),
            () = until(power, Power::Off) => None,
        };
        // Nobody starts anything any more. What the pods still say goes into their logs.
        if end.is_none() {
            tracing::info!(node = self.settings.name, "the node is switched off");
        } else if tokio::time::timeout(host.shutdown_grace_period, runner.terminate())
            .await
            .is_err()
        {
            tracing::debug!("some containers did not end in time");
        }
        runner.stop().await;
        if end.is_none() {
            // Those who would have done it went with the power.
            let cgroups = self.cgroups.clone();
            let _ = tokio::task::spawn_blocking(move || cgroups.remove_groups()).await;
        }
        end
    }

    async fn serve(&self, host: &Host, runner: Runner) -> Result<(), Error> {
        let settings = &self.settings;
        let (recorder, record) = Recorder::new(settings.client.clone(), settings.name.clone());
        let node = Arc::new(self.node(host, runner, recorder));
        let _over = node.present.life().clone().drop_guard();
        let server = match &settings.endpoint {
            Some(endpoint) => Some(
                Server::new(endpoint, Arc::clone(&node))
                    .map_err(|error| Error::Serve(error.into()))?,
            ),
            None => None,
        };
        let endpoint = async {
            match server {
                Some(server) => server.serve().await,
                None => std::future::pending().await,
            }
        };
        let registration = self.registration(host);
        let registered = registration.register().await?;
        tokio::join!(record, registration.keep_alive(&registered), endpoint, pods::run(node));
        Ok(())
    }

    fn node(&self, host: &Host, runner: Runner, recorder: Recorder) -> Node {
        Node {
            client: self.settings.client.clone(),
            name: self.settings.name.clone(),
            pods_directory: self.pods_directory.clone(),
            runner,
            network: self.settings.network.clone(),
            images: host.images.clone(),
            logs: Logs::default(),
            names: Names::default(),
            present: Present::default(),
            cgroups: self.cgroups.clone(),
            directory: host.directory.clone(),
            recorder,
            dns: host.dns,
            domain: host.domain.clone(),
            api: host.api,
            ids: host.ids,
            allocatable: host.allocatable,
        }
    }

    fn registration(&self, host: &Host) -> Registration {
        let endpoint = self.settings.endpoint.as_ref();
        Registration {
            client: self.settings.client.clone(),
            name: self.settings.name.clone(),
            labels: self.settings.labels.clone(),
            taints: Vec::new(),
            endpoint: endpoint.and_then(|endpoint| {
                Some((endpoint.address, endpoint.listener.local_addr().ok()?.port()))
            }),
            capacity: Allocatable::of_this_machine().at_least(host.allocatable),
            allocatable: host.allocatable,
            pod_range: self.settings.network.pod_range(),
        }
    }
}

async fn until(power: &mut watch::Receiver<Power>, wanted: Power) {
    if power.wait_for(|power| *power == wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}
