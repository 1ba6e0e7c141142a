//! Puts the kubelet's parts together.

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures::{StreamExt, stream::FuturesUnordered};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, NodeSettings, Settings,
    cgroups::Cgroups,
    directory,
    directory::Directory,
    dns::Dns,
    images::Images,
    leftovers,
    member::{Host, Member, NODES},
    provision::Provisioner,
    proxy,
};

/// Registers the nodes and runs their pods until `stop` is cancelled or something fails that no retry can cure.
/// All pods have ended when it returns.
pub async fn run(settings: Settings, stop: CancellationToken) -> Result<(), Error> {
    // They go when the runners are gone, and with them all containers.
    let cgroups = Cgroups::open(&group_name(&settings.data_directory));
    let volumes_directory = settings.data_directory.join("volumes");
    make_directory(&settings.data_directory)?;
    make_directory(&volumes_directory)?;
    let image_settings = flumen_image::Settings {
        plain_http: settings.insecure_registries.clone(),
        ..Default::default()
    };
    let images = Images::open(image_settings, settings.data_directory.join("images"), settings.ids)
        .map_err(|error| Error::Images(error.into()))?;
    let directory = Directory::new();
    let first = settings.nodes.first().map(|node| node.client.clone());
    let dns = Dns::bind(&settings.network, settings.dns, &settings.domain, directory.clone())
        .await
        .map_err(|source| Error::Dns { address: settings.dns, source })?;
    let names: Vec<String> = settings.nodes.iter().map(|node| node.name.clone()).collect();
    let nodes_directory = settings.data_directory.join(NODES);
    let provision = provision(settings.provisioner, names.clone(), volumes_directory, settings.ids);
    let members = members(settings.nodes, &settings.data_directory, &cgroups)?;
    let host = Host {
        helper: settings.helper,
        images,
        directory: directory.clone(),
        dns: settings.dns,
        domain: settings.domain,
        api: settings.api,
        ids: settings.ids,
        allocatable: settings.allocatable,
        shutdown_grace_period: settings.shutdown_grace_period,
    };
    let follow = async {
        match first {
            Some(client) => {
                let leftovers = leftovers::remove(client.clone(), &nodes_directory, &names);
                tokio::join!(leftovers, directory::feed(client, directory.clone()));
            }
            None => std::future::pending().await,
        }
    };
    let proxy = proxy::serve(settings.network, directory.clone(), vec![settings.api]);
    tokio::select! {
        result = run_all(members, &host, stop) => result,
        _ = async { tokio::join!(follow, dns.serve(), proxy, provision) } => Ok(()),
    }
}

/// One for each data directory, so that a kubelet finds what an earlier one left.
fn group_name(data_directory: &Path) -> String {
    let hash = Sha256::digest(data_directory.as_os_str().as_encoded_bytes());
    let [a, b, c, d, ..] = hash.0;
    format!("flumen-{a:02x}{b:02x}{c:02x}{d:02x}")
}

fn members(
    nodes: Vec<NodeSettings>,
    data_directory: &Path,
    cgroups: &Cgroups,
) -> Result<Vec<Member>, Error> {
    let numbered = nodes.into_iter().enumerate();
    numbered
        .map(|(number, settings)| {
            let pods_directory = Member::pods_directory(data_directory, number, &settings.name);
            make_directory(&pods_directory)?;
            Ok(Member { settings, pods_directory, cgroups: cgroups.of_node(number) })
        })
        .collect()
}

/// Until `stop`, or until one of them ends, which all others follow.
async fn run_all(members: Vec<Member>, host: &Host, stop: CancellationToken) -> Result<(), Error> {
    let stop = stop.child_token();
    let mut running: FuturesUnordered<_> =
        members.into_iter().map(|member| member.run(host, stop.clone())).collect();
    let mut first = Ok(());
    while let Some(end) = running.next().await {
        stop.cancel();
        first = first.and(end);
    }
    first
}

/// Without a client there is nothing to do.
async fn provision(
    client: Option<kube::Client>,
    nodes: Vec<String>,
    directory: PathBuf,
    map: crate::protocol::IdMap,
) {
    match client {
        Some(client) => Box::pin(Provisioner { client, nodes, directory, map }.run()).await,
        None => std::future::pending().await,
    }
}

/// Nobody but us may look into it: it holds what is in Secrets.
fn make_directory(path: &Path) -> Result<(), Error> {
    let error = |source| Error::DataDirectory { path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(error)?;
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(error)
}
