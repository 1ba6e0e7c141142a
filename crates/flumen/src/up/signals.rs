use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Stop;

/// The first signal asks to stop, the second one not to wait.
pub(super) fn watch() -> Result<Stop> {
    let cannot = "could not listen for signals";
    let mut interrupt = signal(SignalKind::interrupt()).context(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).context(cannot)?;
    let mut hangup = signal(SignalKind::hangup()).context(cannot)?;
    let stop = Stop { asked: CancellationToken::new(), now: CancellationToken::new() };
    let (asked, now) = (stop.asked.clone(), stop.now.clone());
    tokio::spawn(async move {
        for token in [asked, now] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(stop)
}
