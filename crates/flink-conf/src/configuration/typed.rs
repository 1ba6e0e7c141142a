use std::{collections::BTreeMap, time::Duration};

use flumen_model::ByteSize;

use super::Configuration;
use crate::{
    Error, FlinkOption, Value, ValueType, java,
    values::{duration, scalar, size, structured},
};

/// A value that was found, with the key under which it stands.
struct Found<'a> {
    key: &'a str,
    text: std::borrow::Cow<'a, str>,
}

impl Found<'_> {
    fn parse<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Error> {
        parse(&self.text).map_err(|allowed| Error::parse_value(self.key, &self.text, allowed))
    }
}

/// Typed reading. Every function looks under the option's key, then under its aliases in Flink's
/// order, then takes the catalogue's default; `None` if there is none of these. The value is read as
/// the type that is asked for, whatever the catalogue says.
impl Configuration {
    /// The value as text.
    ///
    /// # Errors
    /// None today; it has the form of the others.
    pub fn string(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.found(key).map(|found| found.text.into_owned()))
    }

    /// A boolean.
    ///
    /// # Errors
    /// If it is not `true` or `false` in any case.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, Error> {
        self.parsed(key, scalar::parse_boolean)
    }

    /// A whole number, of 32 bits where the option says so.
    ///
    /// # Errors
    /// If it is no whole number or too large.
    pub fn integer(&self, key: &str) -> Result<Option<i64>, Error> {
        let is_long = self.type_of(key).is_none_or(|found| found == ValueType::Long);
        self.parsed(key, if is_long { scalar::parse_long } else { scalar::parse_integer })
    }

    /// A number with a fraction. Single precision, widened, where the option says so: Flink computes
    /// with `0.1` as `0.10000000149…` there.
    ///
    /// # Errors
    /// If it is no number.
    pub fn double(&self, key: &str) -> Result<Option<f64>, Error> {
        let is_float = self.type_of(key) == Some(ValueType::Float);
        self.parsed(key, if is_float { scalar::parse_float } else { scalar::parse_double })
    }

    /// A number of bytes.
    ///
    /// # Errors
    /// If it is no size as Flink reads them.
    pub fn size(&self, key: &str) -> Result<Option<ByteSize>, Error> {
        self.parsed(key, size::parse)
    }

    /// A span of time.
    ///
    /// # Errors
    /// If it is no duration as this minor reads them.
    pub fn duration(&self, key: &str) -> Result<Option<Duration>, Error> {
        self.parsed(key, |text| duration::parse(text, self.minor()))
    }

    /// One of the words that the catalogue allows, in the catalogue's case.
    ///
    /// # Errors
    /// If it is none of them. A word is returned as it is if the catalogue has no list.
    pub fn word(&self, key: &str) -> Result<Option<String>, Error> {
        let words = self.catalogue().option(key).map_or(&[][..], |option| &option.words);
        self.parsed(key, |text| scalar::parse_word(text, words))
    }

    /// A list of texts.
    ///
    /// # Errors
    /// If quotes in it are not closed.
    pub fn list(&self, key: &str) -> Result<Option<Vec<String>>, Error> {
        match self.lookup(key) {
            Some(Value::List(items)) => Ok(Some(items.clone())),
            _ => self.parsed(key, |text| structured::parse_list(text, self.format())),
        }
    }

    /// A map of texts: one value, or the keys under the option's key (`kubernetes.jobmanager.labels.team`).
    ///
    /// # Errors
    /// If an entry has no `:` or more than one, or quotes are not closed.
    pub fn map(&self, key: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
        match self.get(key) {
            Some(Value::Map(entries)) => return Ok(Some(entries.clone())),
            None if self.has_map_entries(key) => {
                let text = |value: &Value| value.to_text(self.format()).into_owned();
                let entries = self.map_entries(key);
                return Ok(Some(
                    entries.map(|(name, value)| (name.to_owned(), text(value))).collect(),
                ));
            }
            _ => {}
        }
        match self.lookup(key) {
            Some(Value::Map(entries)) => Ok(Some(entries.clone())),
            _ => self.parsed(key, |text| structured::parse_map(text, self.format())),
        }
    }

    /// A list of maps of texts.
    ///
    /// # Errors
    /// As for [`Configuration::map`].
    pub fn list_of_maps(&self, key: &str) -> Result<Option<Vec<BTreeMap<String, String>>>, Error> {
        match self.lookup(key) {
            Some(Value::ListOfMaps(maps)) => Ok(Some(maps.clone())),
            _ => self.parsed(key, |text| {
                structured::parse_list_of_maps(text, self.format(), self.minor())
            }),
        }
    }

    fn parsed<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        self.found(key).map(|found| found.parse(parse)).transpose()
    }

    fn found<'a>(&'a self, key: &'a str) -> Option<Found<'a>> {
        if let Some((key, value)) = self.entry_of(key) {
            return Some(Found { key, text: value.to_text(self.format()) });
        }
        let default = self.catalogue().option(key).and_then(default_text)?;
        Some(Found { key, text: default.into() })
    }

    fn type_of(&self, key: &str) -> Option<ValueType> {
        self.catalogue().option(key).map(|option| option.value_type)
    }
}

/// The default in a form that the parsers read in both formats.
fn default_text(option: &'static FlinkOption) -> Option<String> {
    let default = option.default?;
    Some(match (option.value_type, option.default_exact) {
        (ValueType::Size, Some(bytes)) => format!("{bytes} bytes"),
        (ValueType::Duration, Some(milliseconds)) => format!("{milliseconds} ms"),
        (ValueType::Double, _) => {
            default.parse().map_or_else(|_| default.to_owned(), java::double_text)
        }
        _ => default.to_owned(),
    })
}
