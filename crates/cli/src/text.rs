//! Numbers and times as people read them.

use std::time::Duration;

use jiff::Timestamp;

/// How long something took: `0.4 s`, `12.3 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// The time between two moments; none if they are the wrong way round.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// How long ago something was: `5 s`, `3 min`, `2 h`, `4 d`.
pub(crate) fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = between(since, now).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A moment, to the second, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A whole number with its thousands apart: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate per second, without a fraction that nobody reads.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a negative or absurd rate is shown as the nearest whole number there is"
)]
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", count(per_second.round() as u64))
}

/// A size: `12 B`, `3.4 kB`, `31.2 MB`, `1.5 GB`.
#[allow(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
pub(crate) fn bytes(size: u64) -> String {
    let size_float = size as f64;
    match size {
        0..1000 => format!("{size} B"),
        1000..1_000_000 => format!("{:.1} kB", size_float / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size_float / 1e6),
        _ => format!("{:.1} GB", size_float / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (milliseconds, text) in [
            (0, "0.0 s"),
            (430, "0.4 s"),
            (12_340, "12.3 s"),
            (200_000, "3 min 20 s"),
            (7_500_000, "2 h 5 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!((count(0), count(999), count(1000)), ("0".into(), "999".into(), "1,000".into()));
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!((rate(1999.6), rate(-1.0)), ("2,000/s".into(), "0/s".into()));
        assert_eq!((bytes(12), bytes(31_200_000)), ("12 B".into(), "31.2 MB".into()));
    }
}
