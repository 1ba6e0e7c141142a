//! Quantities of resources, in the form in which the real server writes them.

use serde_json::Value;

const FORM: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/// Where quantities stand: every value of such an object is one.
pub const MAPS: [&str; 7] =
    ["limits", "requests", "capacity", "allocatable", "overhead", "hard", "used"];
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
/// How many digits of a fraction are told apart.
const PLACES: usize = 18;

/// Writes all quantities of an object as the real server does.
///
/// # Errors
/// If one is none.
pub fn normalize(value: &mut Value) -> Result<(), String> {
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

/// A quantity as a number of billionths; a finer fraction is rounded up. `None` if it is no quantity, or more than can be counted.
pub fn parse(text: &str) -> Option<i128> {
    let (digits, suffix) = split(text);
    let (twos, tens) = match BINARY.iter().position(|known| *known == suffix) {
        Some(position) => (10 * (position + 1), 0),
        None => (0, exponent_of(suffix)?),
    };
    let magnitude = magnitude(digits.trim_start_matches(['+', '-']), twos, tens)?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

fn split(text: &str) -> (&str, &str) {
    let start = usize::from(text.starts_with(['+', '-']));
    let length = text[start..].find(|c: char| !c.is_ascii_digit() && c != '.');
    text.split_at(length.map_or(text.len(), |length| start + length))
}

/// The billionths of a decimal number times powers of two and ten.
fn magnitude(text: &str, twos: usize, tens: i32) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let (fraction, finer) = fraction.split_at(fraction.len().min(PLACES));
    let mut number: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        number = number.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    number = number.checked_add(i128::from(finer.bytes().any(|digit| digit != b'0')))?;
    number = number.checked_mul(1 << twos)?;
    if number == 0 {
        return Some(0);
    }
    let places = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    let exponent = tens.saturating_add(9).saturating_sub(places);
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    if exponent >= 0 {
        return number.checked_mul(power?);
    }
    Some(power.map_or(1, |power| number / power + i128::from(number % power > 0)))
}

/// Whether a quantity stays as it is written: the real server looks no closer at what has few digits and no thousands
/// to be told by another unit.
fn stays(digits: &str, suffix: &str) -> bool {
    let digits = digits.trim_start_matches(['+', '-']).trim_start_matches('0');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let Some(exponent) = exponent_of(suffix) else {
        let value: Option<u64> = whole.parse().ok();
        return fraction.is_empty() && whole.len() <= 4 && value.is_some_and(|it| it % 8 != 0);
    };
    let places = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    !whole.is_empty()
        && whole.len() + fraction.len() <= 18
        && (exponent - places) % 3 == 0
        && exponent - places >= -3
        && ![whole, fraction].concat().ends_with("000")
}

/// The power of ten of a decimal suffix.
fn exponent_of(suffix: &str) -> Option<i32> {
    match DECIMAL.iter().find(|(known, _)| *known == suffix) {
        Some((_, exponent)) => Some(*exponent),
        None => suffix.strip_prefix(['e', 'E'])?.parse().ok(),
    }
}

/// Whether a number of bytes is none: it has a fraction, or is more than can be counted.
pub fn is_fractional(text: &str) -> bool {
    let million = 1_000_000;
    parse(text).is_some_and(|number| {
        let thousandths = number / million + i128::from(number % million > 0);
        thousandths % 1000 != 0 || thousandths / 1000 > i128::from(i64::MAX)
    })
}

/// The units that a quantity is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// `Ki`, `Mi`
    Binary,
    /// `m`, `k`, `M`
    Decimal,
    /// `e3`
    Exponent,
}

/// The units of a quantity.
pub fn units(text: &str) -> Units {
    let (_, suffix) = split(text);
    if BINARY.contains(&suffix) {
        Units::Binary
    } else if suffix.starts_with(['e', 'E']) && suffix.len() > 1 {
        Units::Exponent
    } else {
        Units::Decimal
    }
}

fn canonical(text: &str) -> Result<String, String> {
    let number = parse(text).ok_or(FORM)?;
    let (digits, suffix) = split(text);
    if stays(digits, suffix) {
        return Ok(text.to_owned());
    }
    Ok(render(number, units(text)))
}

/// Writes a number of billionths.
pub fn render(number: i128, units: Units) -> String {
    let billion = 1_000_000_000;
    // Binary units stay binary as long as the number is whole and not small.
    if units == Units::Binary && number % billion == 0 && (number / billion).abs() >= 1024 {
        return with_binary_suffix(number / billion);
    }
    // A fraction is kept to thousandths, rounded up.
    let thousandths = {
        let million = 1_000_000;
        number / million + i128::from(number % million > 0)
    };
    if units == Units::Exponent {
        return with_exponent(thousandths);
    }
    with_decimal_suffix(thousandths)
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
    use super::{canonical, parse};

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
            ("+1", "+1"),
            ("01", "01"),
            ("1.500", "1.500"),
            ("0.500", "500m"),
            ("8Mi", "8Mi"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "x", "1KB", "1 Gi", ".", "1.2.3"] {
            assert!(canonical(text).is_err(), "{text}");
        }
    }

    #[test]
    fn equal_amounts_are_equal_however_they_are_written() {
        for (left, right) in [
            ("1.0", "1"),
            ("500m", "0.5"),
            ("500m", ".5"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("1E", "1e18"),
            ("1600Mi", "1677721600"),
            ("0.5Gi", "512Mi"),
            ("1.", "1"),
            ("2e-3", "2m"),
            ("+1", "1"),
            ("100u", "0.0001"),
            ("1.1", "1100m"),
            ("0e400", "0"),
        ] {
            assert_eq!(parse(left), parse(right), "{left} = {right}");
            assert!(parse(left).is_some(), "{left}");
        }
    }

    #[test]
    fn only_what_is_finer_than_a_billionth_is_rounded_and_that_up() {
        for (text, billionths) in [
            ("0.0000000001", 1),
            ("0.0000000001k", 100),
            ("0.0000000011k", 1100),
            ("0.0000000001Gi", 107_374_183),
            ("1.00000000000000000000000000000000000000001", 1_000_000_001),
            ("0.1n", 1),
            ("1e-400", 1),
            ("-0.1n", -1),
            ("-1.5", -1_500_000_000),
        ] {
            assert_eq!(parse(text), Some(billionths), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_quantity_is_refused() {
        for text in [
            "",
            "m",
            ".",
            "1,5",
            "1KB",
            "1.2.3",
            "Mi",
            "1e",
            "1ee3",
            "-",
            "--1",
            "1 Gi",
            "0x10",
            "1e400",
            "9999999999999Ei",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
