//! How long a command waits: until the user's deadline, and for a server that is away.

use std::time::Duration;

use flumen_model::Kind;
use tokio::time::Instant;

use super::PAUSE;
use crate::{Error, printer::Progress, text};

/// How long the server may be away while something on it is followed.
const AWAY: Duration = Duration::from_secs(30);

/// Until when a command waits. All that it waits for shares one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    /// So long from now; none for a time that nobody lives to see.
    pub(crate) fn after(timeout: Option<Duration>) -> Option<Self> {
        let timeout = timeout?;
        Some(Self { at: Instant::now().checked_add(timeout)?, timeout })
    }
}

/// Waits for `what` until the deadline; `look` is the command that shows it afterwards.
pub(crate) async fn within<T>(
    deadline: Option<Deadline>,
    what: String,
    look: String,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(Deadline { at, timeout }) = deadline else { return work.await };
    match tokio::time::timeout_at(at, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::WaitedTooLong { what, after: text::duration(timeout), look }),
    }
}

/// Tries until the server answers; what it answers last is the result. It may be away for [`AWAY`].
pub(crate) async fn patiently<T>(
    progress: &Progress,
    mut attempt: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut away: Option<Instant> = None;
    loop {
        match attempt().await {
            Err(error) if error.kind() == Kind::Unavailable => {
                if away.get_or_insert_with(Instant::now).elapsed() > AWAY {
                    return Err(error);
                }
                progress.say("the server does not answer; trying again");
                tokio::time::sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OutputFormat, Printer};

    async fn wait(deadline: Option<Deadline>, seconds: u64) -> Result<(), Error> {
        let work = async {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(())
        };
        within(deadline, "it".to_owned(), "look".to_owned(), work).await
    }

    #[tokio::test(start_paused = true)]
    async fn one_deadline_is_for_all_that_is_waited_for() {
        let began = Instant::now();
        let deadline = Deadline::after(Some(Duration::from_secs(10)));
        wait(deadline, 6).await.expect("in time");
        let error = wait(deadline, 6).await.expect_err("late");
        assert_eq!(began.elapsed().as_secs(), 10);
        assert_eq!(error.to_string(), "it did not end within 10.0 s; it goes on");
    }

    #[test]
    fn a_time_that_is_too_long_for_a_clock_is_no_deadline() {
        assert!(Deadline::after(Some(Duration::MAX)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_away_is_asked_again_for_half_a_minute() {
        let progress = Printer::in_memory(OutputFormat::Table).0.progress();
        let mut left = 20;
        let back = patiently(&progress, async || {
            left -= 1;
            if left > 0 { Err(away()) } else { Ok("here") }
        });
        assert_eq!(back.await.ok(), Some("here"));
        let began = Instant::now();
        let gone = patiently(&progress, async || Err::<(), _>(away())).await;
        assert_eq!(gone.expect_err("gone").kind(), Kind::Unavailable);
        let took = began.elapsed();
        assert!((AWAY..AWAY + 2 * PAUSE).contains(&took), "{took:?}");
    }

    fn away() -> Error {
        let (action, server) = ("list jobs".to_owned(), "http://host".to_owned());
        Error::Foreign { action, server, status: 502 }
    }
}
