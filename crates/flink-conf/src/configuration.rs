//! A flat map of keys to values, as one Flink process holds it.

mod typed;

use flumen_model::FlinkMinor;
use indexmap::IndexMap;

use crate::{Catalogue, ConfigurationFormat, FlinkOption, Value, ValueType};

/// The configuration of a Flink of one minor: dotted keys with values, in the order of insertion.
///
/// Typed reading (`boolean`, `size`, …) honours the option's aliases in Flink's order and gives the
/// catalogue's default where nothing is set:
///
/// ```
/// use flumen_flink_conf::Configuration;
/// use flumen_model::FlinkMinor;
///
/// let mut configuration = Configuration::new(FlinkMinor::new(1, 20));
/// configuration.set_text("env.java.opts", "-Dx=1");
/// assert_eq!(configuration.string("env.java.opts.all").unwrap().as_deref(), Some("-Dx=1"));
/// assert_eq!(configuration.integer("rest.port").unwrap(), Some(8081));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    minor: FlinkMinor,
    format: ConfigurationFormat,
    entries: IndexMap<String, Value>,
}

impl Configuration {
    /// An empty configuration in the format that this minor uses when nobody chose.
    pub fn new(minor: FlinkMinor) -> Self {
        Self::with_format(minor, ConfigurationFormat::of(minor))
    }

    /// An empty configuration in this format: 1.19 and 1.20 know both.
    pub fn with_format(minor: FlinkMinor, format: ConfigurationFormat) -> Self {
        Self { minor, format, entries: IndexMap::new() }
    }

    /// The minor whose options and rules apply.
    pub const fn minor(&self) -> FlinkMinor {
        self.minor
    }

    /// The format, which decides how lists and maps are read out of text and written.
    pub const fn format(&self) -> ConfigurationFormat {
        self.format
    }

    /// The options of the minor.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue::of(self.minor)
    }

    /// Sets the value; a key that was set keeps its place.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.entries.insert(key.to_owned(), value.into());
    }

    /// Sets a text, which is what everything given with `-D` is.
    pub fn set_text(&mut self, key: &str, text: impl Into<String>) {
        self.entries.insert(key.to_owned(), Value::Text(text.into()));
    }

    /// Removes exactly this key.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.entries.shift_remove(key)
    }

    /// The value under exactly this key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key)
    }

    /// The value of the option: under its key, else under the first of its fallback and deprecated
    /// keys that is set. Entries of a map under keys of their own are not found: see
    /// [`Configuration::map`].
    pub fn lookup(&self, key: &str) -> Option<&Value> {
        self.entry_of(key).map(|(_, value)| value)
    }

    /// The key under which the option's value was found, with the value.
    pub fn entry_of(&self, key: &str) -> Option<(&str, &Value)> {
        let found =
            |key: &str| self.entries.get_key_value(key).map(|(key, value)| (key.as_str(), value));
        found(key).or_else(|| self.catalogue().option(key)?.aliases().find_map(found))
    }

    /// Whether the option is set, under its own key, an alias or, for a map, as keys under its key.
    pub fn is_set(&self, key: &str) -> bool {
        self.entry_of(key).is_some() || self.has_map_entries(key)
    }

    /// The entries in the order in which their keys were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries under this prefix (`containerized.master.env.`), with the prefix taken off.
    pub fn with_prefix<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.iter().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value)))
    }

    fn has_map_entries(&self, key: &str) -> bool {
        let is_map = |option: &FlinkOption| option.value_type == ValueType::Map;
        self.catalogue().reads_map_entries()
            && self.catalogue().option(key).is_some_and(is_map)
            && self.map_entries(key).next().is_some()
    }

    /// The keys `key.NAME` with their values, without `key.`.
    fn map_entries(&self, key: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.iter().filter_map(move |(other, value)| {
            Some((other.strip_prefix(key)?.strip_prefix('.')?, value))
        })
    }
}

impl<'a, V: Into<Value>> Extend<(&'a str, V)> for Configuration {
    fn extend<T: IntoIterator<Item = (&'a str, V)>>(&mut self, entries: T) {
        for (key, value) in entries {
            self.set(key, value);
        }
    }
}
