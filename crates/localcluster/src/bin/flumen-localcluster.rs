//! The local cluster as a program of its own:
//! `flumen-localcluster [--door ADDRESS] [--nodes NUMBER] [--pretend-nodes NUMBER] DIRECTORY [LISTEN [REGISTRY_LISTEN [CPU_MILLIS MEMORY_BYTES]]]`.
//!
//! Writes one line, `ready URL REGISTRY KUBECONFIG`, when it is, and ends on SIGTERM or SIGINT.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::iter::Peekable;
use std::net::SocketAddr;
use std::process::ExitCode;

use flumen_localcluster::{Allocatable, Door, LocalCluster, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).peekable();
    if args.next_if(|word| word == "__pod").is_some() {
        return flumen_kubelet::pod_main(args);
    }
    match settings(args).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(source) = cause {
                text = format!("{text}: {source}");
                cause = source.source();
            }
            // Nobody is left to tell when standard error is closed too.
            let _ = writeln!(io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}

fn settings(
    mut args: Peekable<impl Iterator<Item = OsString>>,
) -> Result<Settings, Box<dyn Error>> {
    let mut option = |name: &str| args.next_if(|word| word == name).and_then(|_| args.next());
    let (door, nodes, pretend) = (option("--door"), option("--nodes"), option("--pretend-nodes"));
    let data_directory = args.next().ok_or("the first argument must be the data directory")?.into();
    let helper = vec![std::env::current_exe()?.into(), "__pod".into()];
    let mut settings = Settings { data_directory, helper, ..Settings::default() };
    if let Some(number) = nodes {
        let number = number.to_string_lossy();
        let some = number.parse().ok().filter(|number| *number > 0);
        let refused = || format!("--nodes is {number:?}: expected a number from 1 to 255");
        settings.nodes = some.ok_or_else(refused)?;
    }
    if let Some(number) = pretend {
        let number = number.to_string_lossy();
        let refused = |_| format!("--pretend-nodes is {number:?}: expected a number up to 65535");
        settings.pretend_nodes = number.parse().map_err(refused)?;
    }
    if let Some(door) = door {
        let target: SocketAddr = door.to_string_lossy().parse()?;
        settings.door = Some(Door::to(move || Some(target)));
    }
    let mut next = || args.next().map(|word| word.to_string_lossy().into_owned());
    if let Some(address) = next() {
        settings.listen = address.parse()?;
    }
    if let Some(address) = next() {
        settings.registry_listen = address.parse()?;
    }
    let cpu_millis = next().map(|number| number.parse()).transpose()?;
    let memory_bytes = next().map(|number| number.parse()).transpose()?;
    settings.allocatable = Allocatable { cpu_millis, memory_bytes };
    Ok(settings)
}

fn run(settings: Settings) -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .init();
    flumen_localcluster::enter_user_namespace()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let told = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            told.cancel();
        });
        let cluster = LocalCluster::start(settings, stop).await?;
        writeln!(
            io::stdout(),
            "ready {} {} {}",
            cluster.url(),
            cluster.registry(),
            cluster.kubeconfig_path().display()
        )?;
        cluster.stopped().await?;
        Ok(())
    })
}
