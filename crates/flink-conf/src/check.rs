//! Every entry of a configuration against the catalogue of its minor.

mod finding;
mod range;

use crate::{
    Catalogue, Configuration, ConfigurationFormat, FlinkOption, Match, Value, ValueType, values,
    write::legacy,
};

pub use finding::{Finding, Problem, Severity};

/// What a wrong value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// An error: the configuration is the user's word to Flumen.
    JobFile,
    /// A warning: the value is passed on as Flink's own client would.
    DropIn,
}

/// What is wrong or doubtful in a configuration, in the order of its keys. Empty is good.
pub fn check(configuration: &Configuration, strictness: Strictness) -> Vec<Finding> {
    let catalogue = configuration.catalogue();
    let wrong = match strictness {
        Strictness::JobFile => Severity::Error,
        Strictness::DropIn => Severity::Warning,
    };
    let finding = |(key, value): (&str, &Value)| {
        let problem = problem(catalogue, configuration.format(), key, value)
            .or_else(|| unwritable(configuration.format(), strictness, key, value))?;
        let severity = match problem {
            Problem::WrongValue { .. } => wrong,
            Problem::Unwritable { .. } => Severity::Error,
            _ => Severity::Warning,
        };
        Some(Finding {
            severity,
            key: key.to_owned(),
            layer: None,
            minor: catalogue.minor(),
            problem,
        })
    };
    configuration.iter().filter_map(finding).collect()
}

fn problem(
    catalogue: Catalogue,
    format: ConfigurationFormat,
    key: &str,
    value: &Value,
) -> Option<Problem> {
    let Some(found) = catalogue.find(key) else { return unknown(catalogue, key) };
    let option = found.option();
    let allowed = match found {
        Match::MapEntry(_) => single_text(value).err(),
        Match::Key(_) | Match::Alias(_) => fits(option, value, catalogue, format)
            .and_then(|()| range::check(option.key, &value.to_text(format), catalogue.minor()))
            .err(),
    };
    if let Some(allowed) = allowed {
        let value = crate::sensitive::shown(key, &value.to_text(format));
        return Some(Problem::WrongValue { value, allowed });
    }
    let is_deprecated = matches!(found, Match::Alias(_)) && option.deprecated_keys.contains(&key);
    is_deprecated.then_some(Problem::Deprecated { preferred: option.key })
}

/// What the file of old versions would do to the pair. A drop-in writes it as Flink's client does and
/// hears of it when the file is rendered.
fn unwritable(
    format: ConfigurationFormat,
    strictness: Strictness,
    key: &str,
    value: &Value,
) -> Option<Problem> {
    if format != ConfigurationFormat::Legacy || strictness == Strictness::DropIn {
        return None;
    }
    legacy::what_is_cut(key, &value.to_text(format)).map(|what| Problem::Unwritable { what })
}

fn unknown(catalogue: Catalogue, key: &str) -> Option<Problem> {
    let minors = Catalogue::minors_with(key);
    if !minors.is_empty() {
        return Some(Problem::OtherVersion { minors });
    }
    catalogue.suggest(key).map(|suggestion| Problem::UnknownKey { suggestion })
}

/// Whether the option takes the value; what is allowed if not.
fn fits(
    option: &FlinkOption,
    value: &Value,
    catalogue: Catalogue,
    format: ConfigurationFormat,
) -> Result<(), String> {
    let text = value.to_text(format);
    let words = |items: Vec<String>| {
        items.iter().try_for_each(|item| values::scalar::parse_word(item, &option.words).map(drop))
    };
    match option.value_type {
        ValueType::List => return list(value, format).map(drop),
        ValueType::Enums => return list(value, format).and_then(words),
        ValueType::Map if matches!(value, Value::Map(_)) => return Ok(()),
        ValueType::Map => return crate::parse_map(&text, format).map(drop),
        ValueType::Maps if matches!(value, Value::ListOfMaps(_)) => return Ok(()),
        ValueType::Maps => {
            return crate::parse_list_of_maps(&text, format, catalogue.minor()).map(drop);
        }
        _ => single_text(value)?,
    }
    match option.value_type {
        ValueType::Boolean => values::scalar::parse_boolean(&text).map(drop),
        ValueType::Integer => values::scalar::parse_integer(&text).map(drop),
        ValueType::Long => values::scalar::parse_long(&text).map(drop),
        ValueType::Float => values::scalar::parse_float(&text).map(drop),
        ValueType::Double => values::scalar::parse_double(&text).map(drop),
        ValueType::Size => values::size::parse(&text).map(drop),
        ValueType::Duration => values::duration::parse(&text, catalogue.minor()).map(drop),
        ValueType::Enum => values::scalar::parse_word(&text, &option.words).map(drop),
        _ => Ok(()),
    }
}

fn list(value: &Value, format: ConfigurationFormat) -> Result<Vec<String>, String> {
    match value {
        Value::List(items) => Ok(items.clone()),
        Value::Map(_) | Value::ListOfMaps(_) => Err("expected a list of texts".to_owned()),
        other => crate::parse_list(&other.to_text(format), format),
    }
}

fn single_text(value: &Value) -> Result<(), String> {
    match value {
        Value::List(_) | Value::Map(_) | Value::ListOfMaps(_) => {
            Err("expected a single value, not a list or map".to_owned())
        }
        _ => Ok(()),
    }
}
