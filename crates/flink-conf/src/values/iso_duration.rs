use std::time::Duration;

/// ISO 8601 as Java's `Duration.parse` reads it: `P2DT3H4M5.678S`, of which each part may be missing
/// and only seconds have a fraction. Negative ones are refused, because no option takes them.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    read(&text.to_ascii_uppercase())
        .ok_or_else(|| "expected a duration such as 10 s, 5 min or PT10S".to_owned())
}

fn read(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    let mut total = Duration::ZERO;
    if !days.is_empty() {
        total += seconds(days.strip_suffix('D')?, 86_400)?;
    } else if time.is_empty() {
        return None;
    }
    let mut rest = time;
    for (letter, unit) in [('H', 3600), ('M', 60)] {
        if let Some((number, after)) = rest.split_once(letter) {
            total = total.checked_add(seconds(number, unit)?)?;
            rest = after;
        }
    }
    if !rest.is_empty() {
        total = total.checked_add(fraction(rest.strip_suffix('S')?)?)?;
    }
    Some(total)
}

fn seconds(number: &str, unit: u64) -> Option<Duration> {
    number.parse::<u64>().ok()?.checked_mul(unit).map(Duration::from_secs)
}

fn fraction(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::new(whole.parse().ok()?, format!("{fraction:0<9}").parse().ok()?))
}
