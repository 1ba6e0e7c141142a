use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// A number of bytes. Its text is Flink's: digits and a unit (`b`, `k`, `m`, `g`, `t`, also `kb`,
/// `mib`, `gigabytes` and the like, in any case), each 1024 times the one before; no unit is bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(u64);

const UNITS: [(&str, &[&str], u32); 5] = [
    ("b", &["", "b", "bytes"], 0),
    ("kb", &["k", "kb", "kib", "kibibytes"], 10),
    ("mb", &["m", "mb", "mib", "mebibytes"], 20),
    ("gb", &["g", "gb", "gib", "gibibytes"], 30),
    ("tb", &["t", "tb", "tib", "tebibytes"], 40),
];

impl ByteSize {
    /// This many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// This many times 1024 × 1024 bytes.
    pub const fn from_mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes << 20)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The number of whole mebibytes, rounded down, as Flink rounds what it asks of Kubernetes.
    pub const fn mebibytes(self) -> u64 {
        self.0 >> 20
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, _, shift) = UNITS
            .iter()
            .rev()
            .find(|(_, _, shift)| self.0 > 0 && self.0.trailing_zeros() >= *shift)
            .unwrap_or(&UNITS[0]);
        write!(out, "{} {name}", self.0 >> shift)
    }
}

impl FromStr for ByteSize {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |allowed: &str| InvalidValue::new("size", text, allowed);
        let trimmed = text.trim();
        let end = trimmed.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(trimmed.len());
        let (digits, unit) = trimmed.split_at(end);
        let unit = unit.trim().to_ascii_lowercase();
        let number: u64 = digits
            .parse()
            .map_err(|_| invalid("expected a whole number and a unit, such as 1600m or 2g"))?;
        let (_, _, shift) = UNITS
            .iter()
            .find(|(_, names, _)| names.contains(&unit.as_str()))
            .ok_or_else(|| invalid("the unit must be one of b, k, m, g, t (or kb, mb, gb, tb)"))?;
        number
            .checked_mul(1 << shift)
            .map(Self)
            .ok_or_else(|| invalid("more bytes than a 64-bit number holds"))
    }
}

impl TryFrom<String> for ByteSize {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<ByteSize> for String {
    fn from(size: ByteSize) -> Self {
        size.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn flinks_units_are_powers_of_1024() {
        for (text, bytes) in [
            ("1", 1),
            ("2k", 2048),
            ("1600m", 1_677_721_600),
            ("1 GB", 1 << 30),
            ("3 TiB", 3 << 40),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize::from_bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for bad in ["", "m", "1.5g", "-1", "1 x", "99999999999999999999", "18446744073709551615k"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_text_reads_back_as_the_same_size(bytes: u64) {
            let size = ByteSize::from_bytes(bytes);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
