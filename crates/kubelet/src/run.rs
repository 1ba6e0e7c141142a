//! Puts the kubelet's parts together.

use std::{fs, path::Path, sync::Arc};

use tokio_util::sync::CancellationToken;

use crate::{
    Error, Settings, directory,
    directory::Directory,
    dns::Dns,
    endpoint::Server,
    events::Recorder,
    images::Images,
    logs::Logs,
    node::Registration,
    pods::{self, Names, Node, Present},
    proxy,
    runner::Runner,
};

/// Registers the node and runs its pods until `stop` is cancelled or something fails that no retry can cure.
/// All pods have ended when it returns.
pub async fn run(settings: Settings, stop: CancellationToken) -> Result<(), Error> {
    let runner = Runner::new(&settings.helper);
    let grace = settings.shutdown_grace_period;
    let result = tokio::select! {
        result = Box::pin(serve(settings, runner.clone())) => result,
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

async fn serve(settings: Settings, runner: Runner) -> Result<(), Error> {
    let pods_directory = settings.data_directory.join("pods");
    make_directory(&settings.data_directory)?;
    make_directory(&pods_directory)?;
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
    let registered = registration.register().await?;
    tokio::join!(
        directory::feed(settings.client, directory.clone()),
        dns.serve(),
        proxy::serve(settings.network, directory, vec![settings.api]),
        record,
        registration.keep_lease(&registered),
        endpoint,
        pods::run(node),
    );
    Ok(())
}

/// Nobody but us may look into it: it holds what is in Secrets.
fn make_directory(path: &Path) -> Result<(), Error> {
    let error = |source| Error::DataDirectory { path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(error)?;
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(error)
}
