//! Whether this process itself has run all the time. One that was stopped has heard nobody, which says nothing of the nodes.

use std::time::Duration;

use tokio::time::Instant;

/// How often it beats.
pub(super) const BEAT: Duration = Duration::from_secs(5);
/// A beat so late is no matter of a busy machine. Shorter gaps are lost in the time for which a node may be silent.
const GAP: Duration = Duration::from_secs(15);

#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// The last beat, and since when there was no gap.
    known: Option<(Instant, Instant)>,
}

impl Pulse {
    /// Notes that it runs now; answers since when it has without a gap.
    pub(crate) fn beat(&mut self, now: Instant) -> Instant {
        let since = match self.known {
            Some((last, since)) if now.duration_since(last) < GAP => since,
            _ => now,
        };
        self.known = Some((now, since));
        since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_gap_begins_anew() {
        let start = Instant::now();
        let mut pulse = Pulse::default();
        let mut since = |seconds| {
            let since = pulse.beat(start + Duration::from_secs(seconds));
            since.duration_since(start).as_secs()
        };
        assert_eq!([0, 5, 19, 33].map(&mut since), [0; 4]);
        assert_eq!([48, 53, 58].map(&mut since), [48; 3]);
        assert_eq!(since(500), 500);
    }
}
