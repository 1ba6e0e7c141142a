//! How steadily the machine itself computes: a virtual one may stand still, or nearly, without a word of it in the
//! kernel's figures, and what is rare in a benchmark is then the machine's.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use nix::time::{ClockId, clock_gettime};

const EVERY: Duration = Duration::from_millis(2);
/// About 0.1 ms of work.
const STEPS: u64 = 50_000;
/// How many times its usual processor time a piece of work takes when the machine hardly computes. Other work on
/// the same processor is not in that time, and on the other half of a core costs less.
const FAR_TOO_LONG: u32 = 3;

/// The same small piece of work, again and again.
pub(crate) struct Beats {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<nix::Result<Vec<Beat>>>,
}

struct Beat {
    began: Instant,
    ended: Instant,
    processor: Duration,
}

/// How the machine computed.
pub(crate) struct Steadiness {
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    /// From the end of the last good beat to the start of the next one.
    slow: Vec<(Instant, Instant)>,
}

impl Beats {
    pub(crate) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let mut beats = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                beats.push(beat()?);
                thread::sleep(EVERY);
            }
            Ok(beats)
        });
        Self { stop, thread }
    }

    pub(crate) fn stop(self) -> Result<Steadiness> {
        self.stop.store(true, Ordering::Relaxed);
        let beats = self.thread.join().map_err(|_| anyhow!("the beats ended in a panic"))?;
        Steadiness::of(&beats.context("the processor time of a thread")?)
    }
}

fn beat() -> nix::Result<Beat> {
    let began = Instant::now();
    let before = Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?);
    let mut number = 1u64;
    for step in 0..STEPS {
        number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step));
    }
    let after = Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?);
    Ok(Beat { began, ended: Instant::now(), processor: after.saturating_sub(before) })
}

impl Steadiness {
    fn of(beats: &[Beat]) -> Result<Self> {
        let mut sorted: Vec<Duration> = beats.iter().map(|beat| beat.processor).collect();
        sorted.sort();
        let median = *sorted.get(sorted.len() / 2).context("no beat was taken")?;
        let p99 = sorted[sorted.len() * 99 / 100];
        let too_long = |beat: &Beat| beat.processor > median * FAR_TOO_LONG;
        let slow = beats.iter().enumerate().filter(|(_, beat)| too_long(beat)).map(|(at, beat)| {
            let before = at.checked_sub(1).map_or(beat.began, |before| beats[before].ended);
            (before, beats.get(at + 1).map_or(beat.ended, |after| after.began))
        });
        Ok(Self { median, p99, slow: slow.collect() })
    }

    /// Whether the machine computed as usual all the time between two moments.
    pub(crate) fn holds(&self, (from, to): (Instant, Instant)) -> bool {
        !self.slow.iter().any(|(start, end)| *start < to && from < *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_that_takes_far_too_long_spoils_the_time_around_it() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let beats: Vec<Beat> = (0..5)
            .map(|number| Beat {
                began: at(10 * number),
                ended: at(10 * number + 1),
                processor: Duration::from_millis(if number == 2 { 4 } else { 1 }),
            })
            .collect();
        let steadiness = Steadiness::of(&beats).unwrap();
        assert_eq!(steadiness.median, Duration::from_millis(1));
        assert!(steadiness.holds((at(0), at(11))) && steadiness.holds((at(30), at(40))));
        assert!(!steadiness.holds((at(10), at(12))) && !steadiness.holds((at(29), at(30))));
        assert!(!steadiness.holds((at(0), at(40))));
    }
}
