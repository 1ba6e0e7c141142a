use flumen_model::FlinkMinor;
use indexmap::IndexMap;

use super::Layer;
use crate::{
    Catalogue, Configuration, ConfigurationFormat, Error, Finding, FlinkOption, Match, Severity,
    Strictness, Value, ValueType, check,
};

/// The configuration that came out of the layers, each key with its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    minor: FlinkMinor,
    format: ConfigurationFormat,
    entries: IndexMap<String, Entry>,
}

/// One effective key.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key as it was given, which may be an alias.
    pub key: String,
    /// The value that counts.
    pub value: Value,
    /// The layer that set it.
    pub layer: Layer,
    /// What lower layers had set, the next lower one last.
    pub overridden: Vec<Overridden>,
}

/// A value that a higher layer replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Overridden {
    /// The key as that layer gave it.
    pub key: String,
    /// The value that does not count.
    pub value: Value,
    /// The layer.
    pub layer: Layer,
}

/// Where the value of an option comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A layer set it.
    Layer(Layer),
    /// Nobody set it: Flink's default.
    Default,
    /// Nobody set it and Flink has no default.
    Unset,
}

/// Everything about one key, for whoever asks why it has its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation<'a> {
    /// The key that was asked for.
    pub key: &'a str,
    /// What this minor knows about it.
    pub option: Option<&'static FlinkOption>,
    /// The value as text; asterisks for what is secret.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// The entry, if a layer set one.
    pub entry: Option<&'a Entry>,
    /// Where a map is given as keys below its own: those.
    pub below: Vec<&'a Entry>,
}

impl Entry {
    pub(super) fn new(key: &str, value: Value, layer: Layer) -> Self {
        Self { key: key.to_owned(), value, layer, overridden: Vec::new() }
    }

    /// What it had overridden, then itself.
    pub(super) fn into_history(self) -> Vec<Overridden> {
        let mut history = self.overridden;
        history.push(Overridden { key: self.key, value: self.value, layer: self.layer });
        history
    }
}

impl Effective {
    pub(super) fn new(minor: FlinkMinor, format: ConfigurationFormat, entries: Vec<Entry>) -> Self {
        let entries = entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        Self { minor, format, entries }
    }

    /// The entries, lowest layer first.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The entry that Flink reads for this key: under it, else under one of its aliases.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        let under_alias = || {
            let option = Catalogue::of(self.minor).option(key)?;
            option.aliases().find_map(|alias| self.entries.get(alias))
        };
        self.entries.get(key).or_else(under_alias)
    }

    /// The values without their origins.
    pub fn configuration(&self) -> Configuration {
        let mut configuration = Configuration::with_format(self.minor, self.format);
        configuration.extend(self.iter().map(|entry| (entry.key.as_str(), entry.value.clone())));
        configuration
    }

    /// What is known about one key.
    pub fn explain<'a>(&'a self, key: &'a str) -> Explanation<'a> {
        let catalogue = Catalogue::of(self.minor);
        let option = catalogue.find(key).map(Match::option);
        let entry = self.entry(key).or_else(|| self.entry(catalogue.canonical(key)));
        let below = if entry.is_none() { self.map_entries(key) } else { Vec::new() };
        let default = option.and_then(|option| option.default).map(str::to_owned);
        let (value, source) = match (entry, default) {
            (Some(entry), _) => {
                let text = entry.value.to_text(self.format);
                (Some(crate::sensitive::shown(&entry.key, &text)), Source::Layer(entry.layer))
            }
            (None, _) if !below.is_empty() => self.explain_map(key, &below),
            (None, Some(default)) => (Some(default), Source::Default),
            (None, None) => (None, Source::Unset),
        };
        Explanation { key, option, value, source, entry, below }
    }

    /// The entries of a map that is given as keys below its own.
    fn map_entries(&self, key: &str) -> Vec<&Entry> {
        let is_map = |option: &FlinkOption| option.value_type == ValueType::Map;
        if !Catalogue::of(self.minor).option(key).is_some_and(is_map) {
            return Vec::new();
        }
        let is_below =
            |entry: &&Entry| entry.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        self.iter().filter(is_below).collect()
    }

    fn explain_map(&self, key: &str, below: &[&Entry]) -> (Option<String>, Source) {
        let map = self.configuration().map(key).ok().flatten().unwrap_or_default();
        let text = Value::Map(map).to_text(self.format).into_owned();
        let layer = below.iter().map(|entry| entry.layer).max();
        (Some(crate::sensitive::shown(key, &text)), layer.map_or(Source::Unset, Source::Layer))
    }

    /// What is wrong or doubtful, every finding with the layer that set the key.
    pub fn check(&self, strictness: Strictness) -> Vec<Finding> {
        let mut findings = check::check(&self.configuration(), strictness);
        for finding in &mut findings {
            finding.layer = self.entries.get(&finding.key).map(|entry| entry.layer);
        }
        findings
    }

    /// The configuration, and what is doubtful about it.
    ///
    /// # Errors
    /// If any value is wrong: all of them in one error. Never in drop-in mode.
    pub fn checked(&self, strictness: Strictness) -> Result<(Configuration, Vec<Finding>), Error> {
        let findings = self.check(strictness);
        let (errors, warnings): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.severity == Severity::Error);
        if errors.is_empty() {
            Ok((self.configuration(), warnings))
        } else {
            Err(Error::WrongValues { findings: errors })
        }
    }
}
