//! How long to wait before trying again.

use std::time::Duration;

/// Doubling pauses between a first and a longest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
}

/// A container that keeps ending: the first restart is immediate, then 10 s doubling to 5 min.
pub(crate) const CRASHES: Backoff =
    Backoff { first: Duration::from_secs(10), longest: Duration::from_mins(5) };
/// An image that cannot be pulled.
pub(crate) const PULLS: Backoff =
    Backoff { first: Duration::from_secs(10), longest: Duration::from_mins(5) };
/// What a pod needs that may appear any moment, such as the `ConfigMap` that is created after the pod.
pub(crate) const NEEDS: Backoff =
    Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(30) };

/// How long a failure itself is shown before the pause after it is.
pub(crate) const FRESH: Duration = Duration::from_secs(5);

/// A container that ran at least this long starts a new count of crashes.
pub(crate) const STEADY: Duration = Duration::from_mins(10);

impl Backoff {
    /// The pause after the failure number `failures`, counted from 1.
    pub(crate) fn pause(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

/// The pause before a container that ended is started again.
pub(crate) fn before_restart(crashes: u32) -> Duration {
    if crashes <= 1 { Duration::ZERO } else { CRASHES.pause(crashes - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_immediate_and_the_pauses_double_to_five_minutes() {
        let pauses: Vec<u64> = (1..9).map(|crashes| before_restart(crashes).as_secs()).collect();
        assert_eq!(pauses, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(before_restart(u32::MAX).as_secs(), 300);
    }
}
