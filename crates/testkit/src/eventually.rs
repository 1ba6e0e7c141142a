use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(10);

/// Looks again and again until there is a result, and fails the test at the deadline with what was seen
/// last. `Err` is what is seen while it is not there yet.
#[track_caller]
pub fn eventually<T, E: Debug>(deadline: Duration, mut look: impl FnMut() -> Result<T, E>) -> T {
    let begin = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if begin.elapsed() > deadline => {
                panic!("not within {deadline:?}; last seen: {seen:?}")
            }
            Err(_) => std::thread::sleep(POLL),
        }
    }
}

/// [`eventually`] for a look that waits itself.
pub async fn eventually_async<T, E, F>(deadline: Duration, mut look: impl FnMut() -> F) -> T
where
    E: Debug,
    F: Future<Output = Result<T, E>>,
{
    let begin = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if begin.elapsed() > deadline => {
                panic!("not within {deadline:?}; last seen: {seen:?}")
            }
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_late_is_found() {
        let mut looks = 0;
        let found = eventually(Duration::from_secs(10), || {
            looks += 1;
            if looks > 3 { Ok(looks) } else { Err("not yet") }
        });
        assert_eq!(found, 4);
    }

    #[test]
    #[should_panic(expected = "last seen: \"half of it\"")]
    fn a_failure_says_what_was_seen_last() {
        eventually(Duration::ZERO, || Err::<(), _>("half of it"));
    }
}
