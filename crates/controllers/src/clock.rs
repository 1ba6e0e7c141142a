//! The only place that asks what time it is; decisions get `now` as an argument.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A time as objects have it: in whole seconds.
pub(crate) fn stamp(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_has_no_fraction() {
        let time: Timestamp = "2026-01-01T00:00:01.999Z".parse().expect("time");
        assert_eq!(stamp(time).0.to_string(), "2026-01-01T00:00:01Z");
    }
}
