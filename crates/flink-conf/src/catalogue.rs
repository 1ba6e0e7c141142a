//! Every option of every minor: one line of `data/options.tsv` for each set of minors in which the
//! facts about a key agree, read once when the first key is looked up.

mod option;
mod suggest;
mod synonyms;
mod table;

use flumen_model::FlinkMinor;

use crate::feature;

pub use option::{FlinkOption, ValueType};
use table::{Bits, TABLE, bit};

/// The options of one Flink minor. A handle: making one costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue {
    minor: FlinkMinor,
    bit: Bits,
}

/// How a key names an option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Match {
    /// It is the option's key, or a key of the option's pattern.
    Key(&'static FlinkOption),
    /// Flink reads the option from this key too, after the option's own.
    Alias(&'static FlinkOption),
    /// It is an entry of a map that is written as several keys under the option's key.
    MapEntry(&'static FlinkOption),
}

impl Match {
    /// The option that is named.
    pub const fn option(self) -> &'static FlinkOption {
        match self {
            Self::Key(option) | Self::Alias(option) | Self::MapEntry(option) => option,
        }
    }
}

impl Catalogue {
    /// The options of this minor; of the nearest one that is known if this one is not.
    pub fn of(minor: FlinkMinor) -> Self {
        Self { minor, bit: bit(minor) }
    }

    /// The minor.
    pub const fn minor(self) -> FlinkMinor {
        self.minor
    }

    /// The option with exactly this key, or whose pattern (`metrics.reporter.<name>.interval`) fits.
    pub fn option(self, key: &str) -> Option<&'static FlinkOption> {
        self.exact(key).or_else(|| TABLE.pattern(key, self.bit))
    }

    /// What this key names, if Flink knows it: an option, by its key or one of its aliases, or an
    /// entry of a map-typed option.
    pub fn find(self, key: &str) -> Option<Match> {
        self.exact(key)
            .map(Match::Key)
            .or_else(|| self.readers(key).next().map(Match::Alias))
            .or_else(|| TABLE.pattern(key, self.bit).map(Match::Key))
            .or_else(|| self.map_option_above(key).map(Match::MapEntry))
    }

    /// The options that are also read from this key, which is not their own.
    pub fn readers(self, alias: &str) -> impl Iterator<Item = &'static FlinkOption> {
        TABLE.readers(alias, self.bit)
    }

    /// The known key that is most like this unknown one, if one is close enough to be meant.
    pub fn suggest(self, key: &str) -> Option<&'static str> {
        suggest::nearest(key, self.iter())
    }

    /// The minors in which this key names an option.
    pub fn minors_with(key: &str) -> Vec<FlinkMinor> {
        FlinkMinor::SUPPORTED
            .into_iter()
            .filter(|minor| Self::of(*minor).find(key).is_some())
            .collect()
    }

    /// All options of the minor, by key. Patterns come with `<name>` in their keys.
    pub fn iter(self) -> impl Iterator<Item = &'static FlinkOption> {
        TABLE.options().iter().filter(move |option| option.is_in(self.bit))
    }

    fn exact(self, key: &str) -> Option<&'static FlinkOption> {
        TABLE.rows(key).iter().find(|option| option.is_in(self.bit) && !option.is_pattern())
    }

    /// Whether this minor reads a map also from keys below the option's own (`labels.team: a`).
    pub(crate) fn reads_map_entries(self) -> bool {
        feature::MAP_ENTRIES.is_in(self.minor)
    }

    fn map_option_above(self, key: &str) -> Option<&'static FlinkOption> {
        if !self.reads_map_entries() {
            return None;
        }
        key.rmatch_indices('.')
            .filter_map(|(at, _)| self.exact(&key[..at]))
            .find(|option| option.value_type == ValueType::Map)
    }
}

#[cfg(test)]
mod tests;
