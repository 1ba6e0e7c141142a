use std::time::Duration;

use flumen_model::Kind;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait before an action is tried again after `failures` failures in a row; none if trying
/// again cannot help.
pub fn retry_delay(kind: Kind, failures: u32) -> Option<Duration> {
    let doublings = failures.saturating_sub(1).min(16);
    kind.is_transient().then(|| FIRST.saturating_mul(1 << doublings).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_half_a_minute() {
        let delays: Vec<_> = (1..=10)
            .filter_map(|failures| retry_delay(Kind::Unavailable, failures))
            .map(|d| d.as_millis())
            .collect();
        assert_eq!(delays, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    }

    #[test]
    fn what_cannot_get_better_is_not_tried_again() {
        for kind in [Kind::Invalid, Kind::NotFound, Kind::Conflict, Kind::Denied, Kind::Bug] {
            assert_eq!(retry_delay(kind, 1), None, "{kind:?}");
        }
    }
}
