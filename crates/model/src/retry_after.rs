use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};

/// How long an HTTP server wants to be left alone by the `Retry-After` of its answer, which counts seconds or names a time.
/// `date` is the `Date` of the same answer: clocks differ, and a time without it says nothing.
pub fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let wait = time(value)?.duration_since(time(date?)?);
    // A time that is over is no wait.
    Some(Duration::try_from(wait).unwrap_or_default())
}

fn time(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_times_are_understood() {
        const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (value, date, seconds) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("99999999999999999999", None, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:51:07 GMT", Some(DATE), Some(90)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(DATE), Some(0)),
            ("Sun, 06 Nov 1994 08:51:07 GMT", None, None),
            ("Sun, 06 Nov 1994 08:51:07 GMT", Some("now"), None),
            ("", None, None),
            ("-1", Some(DATE), None),
            ("1.5", Some(DATE), None),
            ("soon", Some(DATE), None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(value, date), expected, "{value:?} {date:?}");
        }
    }
}
