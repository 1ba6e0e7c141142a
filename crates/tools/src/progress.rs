use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::Streams;

/// What is done sooner needs no line.
const QUIET: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(200);

/// Does the work; on a terminal, a line says how far it is, and vanishes at the end.
pub(crate) async fn show<T>(
    line: impl Fn() -> String,
    work: impl Future<Output = T>,
    streams: &mut Streams<'_>,
) -> T {
    if !streams.is_terminal {
        return work.await;
    }
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(QUIET) => {}
    }
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            done = &mut work => {
                let _ = write!(streams.notes, "\r\x1b[K");
                let _ = streams.notes.flush();
                return done;
            }
            _ = ticks.tick() => {
                // A terminal that is gone is no reason to stop.
                let _ = write!(streams.notes, "\r\x1b[K{}", line());
                let _ = streams.notes.flush();
            }
        }
    }
}

pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}
