//! What an answer that is no success says, and whether a file is tried again after it.

use std::time::Duration;

use flumen_model::retry_after;
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};

use crate::{error::Error, settings::Remote};

/// How often a file is tried, with rising pauses, where trying again may help.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that a repository may ask for. Whoever waits for a release is told of a longer one instead.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

pub(super) fn refused(
    status: StatusCode,
    headers: &HeaderMap,
    remote: &Remote,
    path: &str,
) -> Error {
    let (path, repository, number) = (path.to_owned(), remote.id.clone(), status.as_u16());
    match number {
        401 | 403 | 407 => Error::Denied { path, repository, status: number },
        _ => Error::Answer { path, repository, status: number, wait: asked_wait(headers) },
    }
}

fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    retry_after(text(RETRY_AFTER)?, text(DATE))
}

/// The pause before the next try; none if there is to be none.
pub(super) fn pause_after(attempt: u32, error: &Error) -> Option<Duration> {
    let asked = match error {
        Error::Answer { status: 408 | 429 | 500.., wait, .. } => wait.unwrap_or_default(),
        Error::Fetch { source, .. } if !source.is_builder() && !source.is_redirect() => {
            Duration::ZERO
        }
        _ => return None,
    };
    let own = FIRST_PAUSE * 3_u32.pow(attempt.min(TRIES) - 1);
    (attempt < TRIES && asked <= LONGEST_WAIT).then(|| own.max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_that_asks_for_time_gets_it_up_to_a_bound() {
        let pause = |attempt, status, wait: Option<u64>| {
            let (path, repository) = ("a.jar".to_owned(), "own".to_owned());
            let wait = wait.map(Duration::from_secs);
            let error = Error::Answer { path, repository, status, wait };
            pause_after(attempt, &error).map(|pause| pause.as_millis())
        };
        for (attempt, status, wait, expected) in [
            (1, 503, None, Some(250)),
            (3, 503, None, Some(2250)),
            (4, 503, None, None),
            (1, 429, Some(0), Some(250)),
            (1, 429, Some(90), Some(90_000)),
            (3, 503, Some(120), Some(120_000)),
            (1, 503, Some(121), None),
            (1, 503, Some(u64::MAX), None),
            (4, 429, Some(1), None),
            (1, 400, Some(1), None),
        ] {
            assert_eq!(pause(attempt, status, wait), expected, "{attempt} {status} {wait:?}");
        }
    }
}
