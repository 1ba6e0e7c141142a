//! Amounts that can be added up and are then told in the units of what was added.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

use serde_json::Value;

use crate::quantity::{self, Units};

/// Amounts by the name of what they are of: `pods`, `requests.cpu`.
pub type Amounts = BTreeMap<String, Amount>;

/// An amount of something, exactly.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    billionths: i128,
    units: Units,
}

impl Amount {
    /// So many whole ones.
    pub fn count(number: usize) -> Self {
        let number = i128::try_from(number).unwrap_or(i128::MAX);
        Self { billionths: number.saturating_mul(1_000_000_000), units: Units::Decimal }
    }

    /// Reads a quantity.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self { billionths: quantity::parse(text)?, units: quantity::units(text) })
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.billionths == 0
    }

    /// Both together, in the units of the first one, unless it is nothing.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let units = if self.is_zero() { other.units } else { self.units };
        Self { billionths: self.billionths.saturating_add(other.billionths), units }
    }

    /// What is left of it; not less than nothing.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let left = self.billionths.saturating_sub(other.billionths);
        Self { billionths: left.max(0), units: self.units }
    }

    /// How many of `parts` equal parts of `whole` this is, rounded down; 0 of nothing.
    pub fn parts_of(self, whole: Self, parts: i64) -> i64 {
        let multiple = self.billionths.saturating_mul(i128::from(parts));
        let part = multiple.checked_div(whole.billionths).unwrap_or(0);
        i64::try_from(part).unwrap_or(0)
    }

    /// The next whole number.
    #[must_use]
    pub fn whole(self) -> Self {
        let rest = self.billionths.rem_euclid(1_000_000_000);
        let up = if rest == 0 { 0 } else { 1_000_000_000 - rest };
        Self { billionths: self.billionths.saturating_add(up), units: self.units }
    }
}

impl Default for Amount {
    fn default() -> Self {
        Self::count(0)
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.billionths == other.billionths
    }
}

impl Eq for Amount {}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        self.billionths.cmp(&other.billionths)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&quantity::render(self.billionths, self.units))
    }
}

/// The amounts of a map of quantities; what is none is left out.
pub(crate) fn read(map: Option<&Value>) -> Amounts {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(name, text)| Some((name.clone(), Amount::parse(text.as_str()?)?)))
        .collect()
}

/// Adds amounts to others.
pub(crate) fn add(total: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = total.get(name).map_or(*amount, |known| known.plus(*amount));
        total.insert(name.clone(), sum);
    }
}
