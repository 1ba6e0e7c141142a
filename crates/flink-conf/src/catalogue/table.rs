use std::{collections::HashMap, sync::LazyLock};

use flumen_model::FlinkMinor;

use super::option::{FlinkOption, ValueType};

/// A set of minors: bit N is the Nth of [`FlinkMinor::SUPPORTED`].
pub(super) type Bits = u16;

const TEXT: &str = include_str!("../../data/options.tsv");

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(Table::read);

/// The bit of this minor, or of the nearest one that is known.
pub(super) fn bit(minor: FlinkMinor) -> Bits {
    let known = FlinkMinor::SUPPORTED;
    1 << known.iter().rposition(|other| *other <= minor).unwrap_or(0)
}

pub(super) struct Table {
    /// Sorted by key, then by minors.
    options: Vec<FlinkOption>,
    by_key: HashMap<&'static str, std::ops::Range<usize>>,
    by_alias: HashMap<&'static str, Vec<usize>>,
    /// The most specific first.
    patterns: Vec<usize>,
}

impl Table {
    fn read() -> Self {
        let options: Vec<FlinkOption> = TEXT.lines().filter_map(read_line).collect();
        let mut by_key: HashMap<&'static str, std::ops::Range<usize>> =
            HashMap::with_capacity(options.len());
        let mut by_alias: HashMap<&'static str, Vec<usize>> = HashMap::new();
        let mut patterns = Vec::new();
        for (at, option) in options.iter().enumerate() {
            by_key.entry(option.key).or_insert(at..at).end = at + 1;
            for alias in option.aliases() {
                by_alias.entry(alias).or_default().push(at);
            }
            if option.is_pattern() {
                patterns.push(at);
            }
        }
        patterns.sort_by_key(|at| std::cmp::Reverse(options[*at].key.len()));
        Self { options, by_key, by_alias, patterns }
    }

    pub(super) fn options(&'static self) -> &'static [FlinkOption] {
        &self.options
    }

    pub(super) fn rows(&'static self, key: &str) -> &'static [FlinkOption] {
        self.by_key.get(key).map_or(&[], |range| &self.options[range.clone()])
    }

    pub(super) fn readers(
        &'static self,
        alias: &str,
        bit: Bits,
    ) -> impl Iterator<Item = &'static FlinkOption> {
        let rows = self.by_alias.get(alias).map_or(&[][..], Vec::as_slice);
        rows.iter().map(|at| &self.options[*at]).filter(move |option| option.is_in(bit))
    }

    pub(super) fn pattern(&'static self, key: &str, bit: Bits) -> Option<&'static FlinkOption> {
        let mut patterns = self.patterns.iter().map(|at| &self.options[*at]);
        patterns.find(|option| option.is_in(bit) && option.fits(key))
    }
}

/// One line: key, minors (hex), type, `=default`, exact default, fallback keys, deprecated keys,
/// words, flags. A test checks that no line is lost here.
fn read_line(line: &'static str) -> Option<FlinkOption> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    let list = |field: &'static str| field.split(',').filter(|part| !part.is_empty()).collect();
    Some(FlinkOption {
        key: next()?,
        minors: Bits::from_str_radix(next()?, 16).ok()?,
        value_type: ValueType::parse(next()?)?,
        default: next()?.strip_prefix('='),
        default_exact: next()?.parse().ok(),
        fallback_keys: list(next()?),
        deprecated_keys: list(next()?),
        words: list(next()?),
        deprecated: line.rsplit('\t').next()?.contains('d'),
        internal: line.rsplit('\t').next()?.contains('i'),
        default_is_computed: line.rsplit('\t').next()?.contains('c'),
    })
}
