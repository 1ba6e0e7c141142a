use std::time::Duration;

use flumen_model::FlinkMinor;

use crate::{feature, java};

/// Nanoseconds of each unit, with its words. The first word is the one that is written.
const UNITS: [(u64, &[&str]); 7] = [
    (86_400_000_000_000, &["d", "day", "days"]),
    (3_600_000_000_000, &["h", "hour", "hours"]),
    (60_000_000_000, &["min", "m", "minute", "minutes"]),
    (1_000_000_000, &["s", "sec", "secs", "second", "seconds"]),
    (1_000_000, &["ms", "milli", "millis", "millisecond", "milliseconds"]),
    (1_000, &["µs", "micro", "micros", "microsecond", "microseconds"]),
    (1, &["ns", "nano", "nanos", "nanosecond", "nanoseconds"]),
];

const TOO_LONG: &str = "longer than can be counted";

pub(crate) fn parse(text: &str, minor: FlinkMinor) -> Result<Duration, String> {
    let trimmed = java::trim(text);
    let unsigned = trimmed.strip_prefix('+').unwrap_or(trimmed);
    if feature::ISO_DURATIONS.is_in(minor) && unsigned.starts_with(['P', 'p']) {
        return super::iso_duration::parse(unsigned);
    }
    let end = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at(end);
    let unit = java::trim(unit).to_lowercase();
    let is_counted =
        |number: &u128| feature::LONG_DURATIONS.is_in(minor) || i64::try_from(*number).is_ok();
    let number: u128 = digits
        .parse()
        .ok()
        .filter(is_counted)
        .ok_or("expected a whole number and a unit, such as 10 s or 5 min")?;
    let nanoseconds = nanoseconds_of(&unit, minor)
        .ok_or("the unit must be one of d, h, min, s, ms, µs, ns; no unit is milliseconds")?;
    let total = number.checked_mul(u128::from(nanoseconds)).ok_or(TOO_LONG)?;
    let seconds = i64::try_from(total / 1_000_000_000).map_err(|_| TOO_LONG)?.unsigned_abs();
    let rest = u32::try_from(total % 1_000_000_000).map_err(|_| TOO_LONG)?;
    Ok(Duration::new(seconds, rest))
}

fn nanoseconds_of(unit: &str, minor: FlinkMinor) -> Option<u64> {
    if unit.is_empty() {
        return Some(1_000_000);
    }
    if unit == "m" && !feature::MINUTES_BY_M.is_in(minor) {
        return None;
    }
    UNITS.iter().find(|(_, words)| words.contains(&unit)).map(|(nanoseconds, _)| *nanoseconds)
}

/// Reads a duration as this minor does: digits, then a unit (milliseconds if there is none); from
/// 2.1 also ISO 8601 (`PT10S`).
///
/// # Errors
/// What is allowed, if the text is no duration.
pub fn parse_duration(text: &str, minor: FlinkMinor) -> Result<Duration, String> {
    parse(text, minor)
}

/// The text that this minor writes for a duration: in the largest unit that divides it.
pub fn render_duration(duration: Duration, minor: FlinkMinor) -> String {
    let nanoseconds = duration.as_nanos();
    if nanoseconds == 0 {
        return "0 ms".to_owned();
    }
    for (unit, words) in UNITS {
        if !nanoseconds.is_multiple_of(u128::from(unit)) {
            continue;
        }
        if words[0] == "d" && !feature::DAYS_WRITTEN.is_in(minor) {
            return format!("{} ms", nanoseconds / 1_000_000);
        }
        return format!("{} {}", nanoseconds / u128::from(unit), words[0]);
    }
    format!("{nanoseconds} ns")
}
