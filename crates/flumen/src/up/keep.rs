use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use flumen_cli::Printer;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::child::{Program, Started};

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A child that ran this long is well again.
const WELL: Duration = Duration::from_mins(1);

/// A child that is started again whenever it ends.
pub(super) struct Kept {
    stop: CancellationToken,
    task: JoinHandle<Result<()>>,
}

impl Kept {
    /// Keeps a child that has started. `now` ends it without waiting.
    pub(super) fn new(
        program: Program,
        started: Started,
        printer: &Printer,
        now: &CancellationToken,
    ) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(keep(program, started, printer.clone(), stop.clone(), now.clone()));
        Self { stop, task }
    }

    /// Tells the child to stop, and waits until it has.
    pub(super) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.task.await.context("a child was lost sight of")?
    }
}

async fn keep(
    program: Program,
    started: Started,
    printer: Printer,
    stop: CancellationToken,
    now: CancellationToken,
) -> Result<()> {
    let mut delay = FIRST_DELAY;
    let mut current = Some(started);
    loop {
        let why = match current.take() {
            None => match tokio::select! {
                again = program.start() => again,
                () = stop.cancelled() => return Ok(()),
            } {
                Ok(again) => {
                    printer.note(format!("The {} runs again.", program.name));
                    current = Some(again);
                    continue;
                }
                Err(error) => format!("{error:#}"),
            },
            Some(mut running) => {
                let began = Instant::now();
                tokio::select! {
                    why = running.ended() => {
                        if began.elapsed() > WELL {
                            delay = FIRST_DELAY;
                        }
                        why
                    }
                    () = stop.cancelled() => return end(&program, running, &now).await,
                }
            }
        };
        printer.note(format!(
            "The {} ended ({why}); starting it again in {:.1} s. Its log is {}",
            program.name,
            delay.as_secs_f64(),
            program.log.display()
        ));
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stop.cancelled() => return Ok(()),
        }
        delay = (delay * 2).min(LONGEST_DELAY);
    }
}

/// Tells the child to stop, waits for it, and kills it when there is no more waiting.
async fn end(program: &Program, mut running: Started, now: &CancellationToken) -> Result<()> {
    if let Some(id) = running.process.id().and_then(|id| i32::try_from(id).ok()) {
        // A process that has ended meanwhile needs no signal.
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
    tokio::select! {
        status = running.process.wait() => match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => bail!("the {} ended with {status}; its log is {}", program.name, program.log.display()),
            Err(error) => Err(error).context("could not await a child"),
        },
        () = now.cancelled() => {
            running.process.kill().await.context("could not kill a child")?;
            bail!("the {} was killed before it had stopped", program.name)
        }
    }
}
