use crate::memory::budget::Reader;
use crate::{memory::MemoryError, values::size::human};

/// A part that is a fraction of something, within bounds.
pub(super) struct Range {
    pub(super) min: u64,
    pub(super) max: u64,
    fraction: f64,
}

impl Range {
    /// Reads the three options of a part. `max` is the default of a part that has no such option.
    pub(super) fn read(
        reader: &Reader<'_>,
        name: &'static str,
        min: Option<&str>,
        max: Option<&str>,
        fraction: &str,
    ) -> Result<Self, MemoryError> {
        let range = Self {
            min: min.map_or(Ok(0), |key| reader.size(key))?,
            max: max.map_or(Ok(i64::MAX.unsigned_abs()), |key| reader.size(key))?,
            fraction: reader.fraction(fraction)?,
        };
        if range.min > range.max {
            let (min, max) = (human(range.min), human(range.max));
            return Err(reader.problem(format!(
                "inconsistently configured {name}: its minimum ({min}) is above its maximum ({max})"
            )));
        }
        if !(0.0..1.0).contains(&range.fraction) {
            return Err(reader.problem(format!(
                "inconsistently configured {name}: its fraction ({}) must be at least 0 and less than 1 ({fraction})",
                range.fraction
            )));
        }
        Ok(range)
    }

    /// The part's share of a total that contains it.
    pub(super) fn of_total(&self, total: u64) -> u64 {
        self.clamp(multiply(total, self.fraction))
    }

    /// The part's size beside a rest that does not contain it.
    pub(super) fn beside(&self, rest: u64) -> u64 {
        self.clamp(multiply(rest, self.fraction / (1.0 - self.fraction)))
    }

    pub(super) fn contains(&self, bytes: u64) -> bool {
        (self.min..=self.max).contains(&bytes)
    }

    fn clamp(&self, bytes: u64) -> u64 {
        bytes.max(self.min).min(self.max)
    }
}

/// `bytes * factor`, cut to whole bytes. As in Flink, the factor is taken by its shortest decimal
/// text and the product is exact, so that a factor just below a round number gives the byte below.
fn multiply(bytes: u64, factor: f64) -> u64 {
    let text = format!("{factor:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa: u128 = format!("{whole}{fraction}").parse().unwrap_or(0);
    let fraction_digits = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    let exponent = exponent.parse::<i32>().unwrap_or(0) - fraction_digits;
    let product = u128::from(bytes) * mantissa;
    let power = |exponent: u32| 10_u128.checked_pow(exponent);
    let result = if exponent < 0 {
        power(exponent.unsigned_abs()).map_or(0, |divisor| product / divisor)
    } else {
        power(exponent.unsigned_abs())
            .and_then(|factor| product.checked_mul(factor))
            .unwrap_or(u128::MAX)
    };
    u64::try_from(result).unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_the_tenth_of_single_precision() {
        assert_eq!(multiply(2 << 30, f64::from(0.1_f32)), 214_748_368);
        assert_eq!(multiply(1_000_000_000, 1.0), 1_000_000_000);
        assert_eq!(multiply(1 << 40, 0.0), 0);
    }
}
