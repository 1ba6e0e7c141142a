use std::{borrow::Cow, collections::BTreeMap};

use crate::{ConfigurationFormat, java, values::structured};

/// A value of the configuration. What has a type is written plain; text is quoted where a reader
/// would take it for something else.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// A map of texts.
    Map(BTreeMap<String, String>),
    /// A list of maps, for example tolerations.
    ListOfMaps(Vec<BTreeMap<String, String>>),
}

impl Value {
    /// The one text that stands for the value, as Flink converts a typed value to text: lists and
    /// maps with `;`, `,` and `:` in the legacy format, as YAML flow collections in the standard one.
    pub fn to_text(&self, format: ConfigurationFormat) -> Cow<'_, str> {
        match self {
            Self::Boolean(true) => "true".into(),
            Self::Boolean(false) => "false".into(),
            Self::Integer(number) => number.to_string().into(),
            Self::Double(number) => double_text(*number, format).into(),
            Self::Text(text) => text.into(),
            Self::List(items) => structured::render_list(items, format).into(),
            Self::Map(entries) => structured::render_map(entries, format).into(),
            Self::ListOfMaps(maps) => structured::render_list_of_maps(maps, format).into(),
        }
    }
}

/// YAML has words of its own for what is not finite.
fn double_text(number: f64, format: ConfigurationFormat) -> String {
    match format {
        ConfigurationFormat::Standard if number.is_nan() => ".nan".to_owned(),
        ConfigurationFormat::Standard if number == f64::INFINITY => ".inf".to_owned(),
        ConfigurationFormat::Standard if number == f64::NEG_INFINITY => "-.inf".to_owned(),
        _ => java::double_text(number),
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<Vec<String>> for Value {
    fn from(items: Vec<String>) -> Self {
        Self::List(items)
    }
}
