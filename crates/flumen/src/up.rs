//! `flumen up`: the local cluster and the server as two children, kept running until told to stop.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use flumen_cli::{Explained, GlobalArguments, Printer};
use tokio_util::sync::CancellationToken;

use crate::{
    arguments::Up,
    config, lock,
    settings::{Settings, keys},
    supervised::Message,
};

mod child;
mod keep;
mod ready;
mod signals;

use child::Program;
use keep::Kept;
use ready::Addresses;

/// How long children of an `up` that was killed may take to end.
const ORPHANS: Duration = Duration::from_secs(6);
const LOOK: Duration = Duration::from_millis(50);

/// What a child said why it could not start.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) Explained);

impl std::fmt::Display for Told {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0.message)
    }
}

impl std::error::Error for Told {}

pub(crate) fn run(arguments: &Up, global: &GlobalArguments, printer: &Printer) -> Result<()> {
    let settings = config::resolve(arguments.flags(), &arguments.file, global)?.settings;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("could not start the runtime")?;
    runtime.block_on(up(settings, arguments, printer))
}

async fn up(settings: Settings, arguments: &Up, printer: &Printer) -> Result<()> {
    let began = Instant::now();
    let _lock = lock::take(&settings.data_directory, "up", "flumen up")?;
    let stop = signals::watch()?;
    await_orphans(&settings).await;
    let config = arguments.file.config.as_deref();
    let local = Program::local(&settings, config);
    let started = tokio::select! {
        started = local.start() => started?,
        () = stop.asked.cancelled() => return Ok(()),
    };
    let Message::Local { kubernetes, registry, kubeconfig } = started.said.clone() else {
        bail!("the local cluster said something that was not expected: {:?}", started.said);
    };
    // Whoever has these addresses keeps them, also after the cluster was started again.
    let local =
        local.with(keys::KUBERNETES_LISTEN, &kubernetes).with(keys::REGISTRY_LISTEN, &registry);
    let local = Kept::new(local, started, printer, &stop.now);

    let server = Program::server(&settings, config)
        .with(keys::LOCAL_KUBECONFIG, &kubeconfig.display())
        .with(keys::LOCAL_REGISTRY, &registry);
    let started = tokio::select! {
        started = server.start() => started,
        () = stop.asked.cancelled() => return local.stop().await,
    };
    let (server, listen, ui_listen, addresses) = match started {
        Err(error) => {
            local.stop().await?;
            return Err(error);
        }
        Ok(started) => match started.said.clone() {
            Message::Server { listen, ui_listen, url, ui_url } => {
                (started, listen, ui_listen, Addresses::new(&settings, url, ui_url, kubeconfig))
            }
            said => bail!("the server said something that was not expected: {said:?}"),
        },
    };
    let program = Program::server(&settings, config)
        .with(keys::LOCAL_KUBECONFIG, &addresses.kubeconfig.display())
        .with(keys::LOCAL_REGISTRY, &registry)
        .with(keys::LISTEN, &listen)
        .with(keys::UI_LISTEN, &ui_listen);
    let server = Kept::new(program, server, printer, &stop.now);
    addresses.print(printer, began.elapsed())?;

    stop.asked.cancelled().await;
    if printer.is_interactive() {
        printer.note("Stopping; Ctrl-C again does not wait.");
    }
    let server = server.stop().await;
    local.stop().await.and(server)
}

/// Waits until the children of an `up` that was killed have noticed it.
async fn await_orphans(settings: &Settings) {
    let locks: [PathBuf; 2] =
        [settings.data_directory.join("server.lock"), settings.local_directory().join("lock")];
    let began = Instant::now();
    while locks.iter().any(|path| lock::is_held(path)) && began.elapsed() < ORPHANS {
        tokio::time::sleep(LOOK).await;
    }
}

/// What `up` is told from outside.
pub(crate) struct Stop {
    /// To stop.
    pub(crate) asked: CancellationToken,
    /// Not to wait for anything.
    pub(crate) now: CancellationToken,
}
