//! The local cluster alone.

use anyhow::{Context as _, Result};
use flumen_cli::{GlobalArguments, Printer, ServerFile};
use flumen_cluster::manifest::{Place, flink_rights};
use flumen_localcluster::{Allocatable, Door, LocalCluster};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    arguments::Local,
    runtime,
    settings::Settings,
    supervised::{self, Message},
};

pub(crate) fn run(arguments: &Local, global: &GlobalArguments, printer: &Printer) -> Result<()> {
    // Before there is a second thread.
    if let Err(error) = flumen_localcluster::enter_user_namespace() {
        return supervised::tell(arguments.supervised, Err(error.into()), printer);
    }
    let started = (arguments.flags(), &arguments.file, arguments.supervised);
    runtime::command(started, global, printer, |settings, stop| {
        local(settings, arguments.supervised, stop, printer)
    })
}

async fn local(
    settings: Settings,
    supervised: bool,
    stop: CancellationToken,
    printer: &Printer,
) -> Result<()> {
    let program = std::env::current_exe().context("could not find out where this program lies")?;
    let parts = flumen_localcluster::Settings {
        data_directory: settings.local_directory(),
        listen: settings.kubernetes_listen,
        registry_listen: settings.registry_listen,
        helper: vec![program.into(), "__pod".into()],
        allocatable: Allocatable {
            cpu_millis: settings.allocatable_cpu.map(|cores| cores.millis),
            memory_bytes: settings.allocatable_memory.map(flumen_model::ByteSize::bytes),
        },
        nodes: settings.nodes,
        pretend_nodes: settings.pretend_nodes,
        control_plane: settings.control_plane.clone(),
        objects: rights()?,
        door: Some(door(&settings)),
        ..flumen_localcluster::Settings::default()
    };
    let cluster = LocalCluster::start(parts, stop.clone()).await?;
    if stop.is_cancelled() {
        return Ok(cluster.stopped().await?);
    }
    let (kubeconfig, registry) = (cluster.kubeconfig_path().to_owned(), cluster.registry());
    tracing::info!(url = cluster.url(), %registry, "the local cluster takes requests");
    if supervised {
        let url: Url =
            cluster.url().parse().context("the address of the Kubernetes API is none")?;
        let sockets =
            url.socket_addrs(|| None).context("the address of the Kubernetes API is none")?;
        let kubernetes = *sockets.first().context("the Kubernetes API has no address")?;
        Message::Local { kubernetes, registry, kubeconfig }.send(printer)?;
    } else {
        if printer.is_json() {
            let (kubeconfig, url) = (kubeconfig.display().to_string(), cluster.url());
            let registry = registry.to_string();
            printer.json(&json!({"kubeconfig": kubeconfig, "url": url, "registry": registry}))?;
        } else {
            printer.line(kubeconfig.display().to_string())?;
        }
        printer.note(format!(
            "The local cluster is ready: the Kubernetes API at {}, images at {registry}. Try:\n  kubectl --kubeconfig {} get nodes",
            cluster.url(),
            kubeconfig.display()
        ));
    }
    Ok(cluster.stopped().await?)
}

/// What lets a job simply run where the environment `local` runs its jobs: the rights of Flink's pods, in the namespace and for
/// the service account that jobs have unless they say otherwise.
fn rights() -> Result<Vec<Value>> {
    let place = Place {
        namespace: "default".parse().context("the name of the default namespace is none")?,
        accounts: vec!["default".to_owned()],
        host_network: true,
    };
    Ok(flink_rights(&place).into())
}

/// Leads pods to the server of the same data directory, wherever it listens.
fn door(settings: &Settings) -> Door {
    let data_directory = settings.data_directory.clone();
    Door::to(move || {
        let server = ServerFile::load(&data_directory).ok()??;
        server.url.socket_addrs(|| None).ok()?.first().copied()
    })
}
