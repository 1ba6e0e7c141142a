//! Puts the kubelet's parts together.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Settings,
    cgroups::Cgroups,
    directory,
    directory::Directory,
    dns::Dns,
    endpoint::Server,
    events::Recorder,
    images::Images,
    logs::Logs,
    node::Registration,
    pods::{self, Names, Node, Present},
    provision::Provisioner,
    proxy,
    runner::Runner,
};

/// Registers the node and runs its pods until `stop` is cancelled or something fails that no retry can cure.
/// All pods have ended when it returns.
pub async fn run(settings: Settings, stop: CancellationToken) -> Result<(), Error> {
    // They go when the runner is gone, and with it all containers.
    let cgroups = Cgroups::open(&group_name(&settings.data_directory));
    let runner = Runner::new(&settings.helper);
    let grace = settings.shutdown_grace_period;
    let result = tokio::select! {
        result = Box::pin(serve(settings, runner.clone(), cgroups.clone())) => result,
        () = runner.gone() => Err(Error::SupervisorEnded),
        () = stop.cancelled() => Ok(()),
    };
    // Nobody starts anything any more. What the pods still say goes into their logs.
    if tokio::time::timeout(grace, runner.terminate()).await.is_err() {
        tracing::debug!("some containers did not end in time");
    }
    runner.stop().await;
    result
}

/// One for each data directory, so that a kubelet finds what an earlier one left.
fn group_name(data_directory: &Path) -> String {
    let hash = Sha256::digest(data_directory.as_os_str().as_encoded_bytes());
    let [a, b, c, d, ..] = hash.0;
    format!("flumen-{a:02x}{b:02x}{c:02x}{d:02x}")
}

async fn serve(settings: Settings, runner: Runner, cgroups: Cgroups) -> Result<(), Error> {
    let pods_directory = settings.data_directory.join("pods");
    make_directory(&settings.data_directory)?;
    make_directory(&pods_directory)?;
    let volumes_directory = settings.data_directory.join("volumes");
    make_directory(&volumes_directory)?;
    let image_settings = flumen_image::Settings {
        plain_http: settings.insecure_registries.clone(),
        ..Default::default()
    };
    let images = Images::open(image_settings, settings.data_directory.join("images"), settings.ids)
        .map_err(|error| Error::Images(error.into()))?;
    let directory = Directory::new();
    let dns = Dns::bind(&settings.network, settings.dns, &settings.domain, directory.clone())
        .await
        .map_err(|source| Error::Dns { address: settings.dns, source })?;
    let (recorder, record) = Recorder::new(settings.client.clone(), settings.node_name.clone());
    let registration = Registration {
        client: settings.client.clone(),
        name: settings.node_name.clone(),
        endpoint: settings.endpoint.as_ref().and_then(|endpoint| {
            Some((endpoint.address, endpoint.listener.local_addr().ok()?.port()))
        }),
        allocatable: settings.allocatable,
        pod_range: settings.network.pod_range(),
    };
    let node = Arc::new(Node {
        client: settings.client.clone(),
        name: settings.node_name,
        pods_directory,
        runner,
        network: settings.network.clone(),
        images,
        logs: Logs::default(),
        names: Names::default(),
        present: Present::default(),
        cgroups,
        directory: directory.clone(),
        recorder,
        dns: settings.dns,
        domain: settings.domain,
        api: settings.api,
        ids: settings.ids,
        allocatable: settings.allocatable,
    });
    let server = match settings.endpoint {
        Some(endpoint) => Some(
            Server::new(endpoint, Arc::clone(&node)).map_err(|error| Error::Serve(error.into()))?,
        ),
        None => None,
    };
    let endpoint = async {
        match server {
            Some(server) => server.serve().await,
            None => std::future::pending().await,
        }
    };
    let provision = provision(settings.provisioner, Arc::clone(&node), volumes_directory);
    let registered = registration.register().await?;
    tokio::join!(
        directory::feed(settings.client, directory.clone()),
        dns.serve(),
        proxy::serve(settings.network, directory, vec![settings.api]),
        record,
        registration.keep_lease(&registered),
        endpoint,
        provision,
        pods::run(node),
    );
    Ok(())
}

/// Without a client there is nothing to do.
async fn provision(client: Option<kube::Client>, node: Arc<Node>, directory: PathBuf) {
    let Some(client) = client else { return };
    let provisioner = Provisioner { client, node: node.name.clone(), directory, map: node.ids };
    Box::pin(provisioner.run()).await;
}

/// Nobody but us may look into it: it holds what is in Secrets.
fn make_directory(path: &Path) -> Result<(), Error> {
    let error = |source| Error::DataDirectory { path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(error)?;
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(error)
}
