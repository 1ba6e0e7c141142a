//! How the long-running commands run, and how they are told to stop.

use std::{io::Read as _, thread, time::Duration};

use anyhow::{Context as _, Result, bail};
use flumen_cli::{GlobalArguments, Printer};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{
    arguments::{FileArguments, Flags},
    config, logging,
    settings::{Resolved, Settings},
    supervised,
};

/// Enough for one machine's server or node, and few enough to stay small.
const WORKERS: usize = 2;
/// Threads for files and the like; they end when idle.
const BLOCKING: usize = 16;
/// How long a process goes on whose supervisor is gone.
const ORPHAN: Duration = Duration::from_millis(1500);

/// Runs a command that takes requests: resolves its settings, starts its log, and works until it ends.
/// `flumen up`, if it is what started this, hears of a failure.
pub(crate) fn command<F>(
    (flags, file, supervised): (Flags, &FileArguments, bool),
    global: &GlobalArguments,
    printer: &Printer,
    work: impl FnOnce(Settings, CancellationToken) -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let done = config::resolve(flags, file, global).and_then(|Resolved { settings, .. }| {
        logging::start(&settings);
        run(supervised, |stop| work(settings, stop))
    });
    supervised::tell(supervised, done, printer)
}

/// Runs `work` until it ends. The first signal to stop cancels the token, a second one ends the process
/// without waiting. With `supervised`, standard input is a pipe that `flumen up` holds: when that closes,
/// `up` is gone, and so is this process soon.
fn run<F>(supervised: bool, work: impl FnOnce(CancellationToken) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING)
        .thread_keep_alive(Duration::from_secs(2))
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    let outcome = runtime.block_on(async {
        let stop = CancellationToken::new();
        let orphan = CancellationToken::new();
        if supervised {
            watch_supervisor(orphan.clone());
        }
        tokio::select! {
            outcome = work(stop.clone()) => outcome,
            outcome = stop_at_once(stop, orphan) => outcome,
        }
    });
    runtime.shutdown_background();
    outcome
}

/// Cancels `stop` when that is asked for; ends when there is no waiting any more.
async fn stop_at_once(stop: CancellationToken, orphan: CancellationToken) -> Result<()> {
    let cannot = "could not listen for signals";
    let mut interrupt = signal(SignalKind::interrupt()).context(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).context(cannot)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = orphan.cancelled() => {}
    }
    stop.cancel();
    tokio::select! {
        _ = interrupt.recv() => bail!("stopped without waiting for what still ran"),
        _ = terminate.recv() => bail!("stopped without waiting for what still ran"),
        () = async { orphan.cancelled().await; tokio::time::sleep(ORPHAN).await } => {
            bail!("flumen up is gone, and so is this process")
        }
    }
}

fn watch_supervisor(orphan: CancellationToken) {
    let watch = move || {
        let mut nothing = [0; 64];
        while std::io::stdin().read(&mut nothing).is_ok_and(|read| read > 0) {}
        orphan.cancel();
    };
    // A thread that cannot be had is a machine at its end; the process then lives until it is signalled.
    let _ = thread::Builder::new().name("supervisor".to_owned()).stack_size(64 * 1024).spawn(watch);
}
