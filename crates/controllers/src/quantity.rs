//! Kubernetes quantities ("500m", "1.5", "1600Mi", "1e3"), exactly: as whole billionths of one unit.

use std::iter::Sum;
use std::ops::{Add, Sub};

const BILLION: i128 = 1_000_000_000;

/// An amount of something countable (cores, bytes, pods), in billionths. A finer fraction is rounded up, as Kubernetes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Amount(i128);

impl Amount {
    /// That many whole units.
    pub fn whole(units: i64) -> Self {
        Self(i128::from(units) * BILLION)
    }

    /// Reads a quantity. `None` if it is not one; amounts beyond any machine are cut to the largest that fits.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (power_of_two, power_of_ten) = scale(suffix)?;
        let magnitude = magnitude(whole, fraction, power_of_two, power_of_ten);
        Some(Self(if negative { -magnitude } else { magnitude }))
    }

    /// How many of `parts` equal parts of `whole` this is, rounded down; 0 of nothing.
    pub(crate) fn parts_of(self, whole: Self, parts: i64) -> i64 {
        let part = self.0.saturating_mul(i128::from(parts)).checked_div(whole.0).unwrap_or(0);
        i64::try_from(part).unwrap_or(0)
    }
}

/// The suffix as powers of two and of ten.
fn scale(suffix: &str) -> Option<(u32, i32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        "Ki" => (10, 0),
        "Mi" => (20, 0),
        "Gi" => (30, 0),
        "Ti" => (40, 0),
        "Pi" => (50, 0),
        "Ei" => (60, 0),
        _ => (0, suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    })
}

fn magnitude(whole: &str, fraction: &str, power_of_two: u32, power_of_ten: i32) -> i128 {
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value.saturating_mul(10).saturating_add(i128::from(digit - b'0'));
    }
    value = value.saturating_mul(1_i128 << power_of_two);
    let digits = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    let exponent = power_of_ten.saturating_add(9).saturating_sub(digits);
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    match (exponent >= 0, power) {
        (true, Some(power)) => value.saturating_mul(power),
        (true, None) if value > 0 => i128::MAX,
        (true, None) => 0,
        (false, Some(power)) => value / power + i128::from(value % power > 0),
        (false, None) => i128::from(value > 0),
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("0.0000000001", "1n"),
        ] {
            assert_eq!(Amount::parse(left), Amount::parse(right), "{left} = {right}");
            assert!(Amount::parse(left).is_some(), "{left}");
        }
    }

    #[test]
    fn what_is_not_a_quantity_is_refused() {
        for text in ["", "m", ".", "1,5", "1KB", "1.2.3", "Mi", "1e", "1ee3", "-", "1 Gi", "0x10"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_byte_more_than_there_is_does_not_fit() {
        let gib = Amount::parse("1Gi").expect("quantity");
        assert!(Amount::parse("1073741825").expect("quantity") > gib);
        assert!(Amount::parse("1073741824").expect("quantity") <= gib);
        assert!(Amount::parse("9999999999999Ei").expect("quantity") > gib);
        assert!(Amount::parse("1e400").expect("quantity") > gib);
        assert_eq!(Amount::parse("0e400"), Some(Amount::default()));
        assert!(Amount::parse("-1").expect("quantity") < Amount::default());
    }
}
