use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait before an action is tried again after `failures` failures in a row. What cannot get
/// better by itself is tried at the slowest pace: somebody has to change something first.
pub fn retry_delay(may_pass: bool, failures: u32) -> Duration {
    if !may_pass {
        return LONGEST;
    }
    let doublings = failures.saturating_sub(1).min(16);
    FIRST.saturating_mul(1 << doublings).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_half_a_minute() {
        let delays: Vec<_> =
            (1..=10).map(|failures| retry_delay(true, failures).as_millis()).collect();
        assert_eq!(delays, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    }

    #[test]
    fn what_cannot_get_better_by_itself_is_tried_at_the_slowest_pace() {
        assert_eq!(retry_delay(false, 1), LONGEST);
    }
}
