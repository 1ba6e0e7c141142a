//! Quantities of resources, in the form in which the real server writes them.

use serde_json::Value;

const FORM: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/// Where quantities stand: every value of such an object is one.
const MAPS: [&str; 5] = ["limits", "requests", "capacity", "allocatable", "overhead"];
/// A number of thousandths is what the real server keeps of a fraction, at the least.
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Writes all quantities of an object as the real server does.
///
/// # Errors
/// If one is none.
pub(crate) fn normalize(value: &mut Value) -> Result<(), String> {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if MAPS.contains(&key.as_str()) {
                    for (_, quantity) in value.as_object_mut().into_iter().flatten() {
                        if let Some(text) = quantity.as_str() {
                            *quantity = canonical(text)?.into();
                        }
                    }
                } else {
                    normalize(value)?;
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(normalize),
        _ => Ok(()),
    }
}

/// A quantity as a number of billionths.
pub(crate) fn parse(text: &str) -> Option<i128> {
    let (digits, suffix) = split(text);
    let number = scaled(digits, 9)?;
    if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
        return number.checked_mul(1 << (10 * (power + 1)));
    }
    let exponent = match DECIMAL.iter().find(|(known, _)| *known == suffix) {
        Some((_, exponent)) => *exponent,
        None => suffix.strip_prefix(['e', 'E'])?.parse().ok()?,
    };
    shift(number, exponent)
}

fn split(text: &str) -> (&str, &str) {
    let start = usize::from(text.starts_with(['+', '-']));
    let length = text[start..].find(|c: char| !c.is_ascii_digit() && c != '.');
    text.split_at(length.map_or(text.len(), |length| start + length))
}

/// A decimal number times a power of ten; what is smaller counts as the smallest.
fn scaled(text: &str, digits: usize) -> Option<i128> {
    let negative = text.starts_with('-');
    let text = text.trim_start_matches(['+', '-']);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let mut number: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    for position in 0..digits {
        let digit = fraction.as_bytes().get(position).map_or(0, |byte| i128::from(byte - b'0'));
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    if fraction.len() > digits && fraction[digits..].bytes().any(|byte| byte != b'0') {
        number = number.checked_add(1)?;
    }
    Some(if negative { -number } else { number })
}

fn shift(number: i128, exponent: i32) -> Option<i128> {
    let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
    if exponent >= 0 {
        return number.checked_mul(power);
    }
    let rest = i128::from(number % power != 0);
    Some(number / power + rest)
}

fn canonical(text: &str) -> Result<String, String> {
    let number = parse(text).ok_or(FORM)?;
    let (_, suffix) = split(text);
    let billion = 1_000_000_000;
    // Binary units stay binary as long as the number is whole and not small.
    if BINARY.contains(&suffix) && number % billion == 0 && (number / billion).abs() >= 1024 {
        return Ok(with_binary_suffix(number / billion));
    }
    // A fraction is kept to thousandths, rounded up.
    let thousandths = {
        let million = 1_000_000;
        number / million + i128::from(number % million > 0)
    };
    if suffix.starts_with(['e', 'E']) && suffix.len() > 1 {
        return Ok(with_exponent(thousandths));
    }
    Ok(with_decimal_suffix(thousandths))
}

fn with_binary_suffix(number: i128) -> String {
    let (mut number, mut suffix) = (number, "");
    for next in BINARY {
        if number % 1024 != 0 {
            break;
        }
        (number, suffix) = (number / 1024, next);
    }
    format!("{number}{suffix}")
}

fn with_decimal_suffix(thousandths: i128) -> String {
    let (number, suffix) = reduce(thousandths);
    let suffix =
        DECIMAL.iter().find(|(_, exponent)| *exponent == suffix).map_or("", |(name, _)| name);
    format!("{number}{suffix}")
}

fn with_exponent(thousandths: i128) -> String {
    let (number, exponent) = reduce(thousandths);
    if exponent == 0 { number.to_string() } else { format!("{number}e{exponent}") }
}

/// The number without its thousands, and the power of ten that they are.
fn reduce(thousandths: i128) -> (i128, i32) {
    let (mut number, mut exponent) = (thousandths, -3);
    if number == 0 {
        return (0, 0);
    }
    while number % 1000 == 0 && exponent < 18 {
        (number, exponent) = (number / 1000, exponent + 3);
    }
    (number, exponent)
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn quantities_are_written_as_the_real_server_writes_them() {
        for (text, expected) in [
            ("1", "1"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("1000m", "1"),
            ("1e3", "1e3"),
            ("1n", "1m"),
            ("1.1234567", "1124m"),
            ("100000000000000000000", "100E"),
            ("-1", "-1"),
            ("0", "0"),
            ("+1", "1"),
            ("01", "1"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "x", "1KB", "1 Gi", ".", "1.2.3"] {
            assert!(canonical(text).is_err(), "{text}");
        }
    }
}
