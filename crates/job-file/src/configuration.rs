//! The `configuration` of a job: nested or dotted keys become dotted ones.

use std::collections::{BTreeMap, HashMap};

use flumen_flink_conf::{Configuration, Problem, Severity, Strictness, check, flatten};
use flumen_model::{ConfigurationValue, FlinkMinor};

use crate::{
    fields::{Field, Report, join},
    node::{Entry, Node, Position, Scalar, Value},
};

/// The options of a job by dotted key, and where each stood.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) values: BTreeMap<String, ConfigurationValue>,
    positions: HashMap<String, Position>,
}

pub(crate) fn read(field: &Field<'_>, report: &mut Report) -> Options {
    let Value::Map(entries) = &field.node.value else {
        field.refuse("a map of Flink options", report);
        return Options::default();
    };
    let mut reader = Reader { parent: &field.key, options: Options::default(), report };
    reader.flatten("", entries);
    reader.options
}

impl Options {
    /// Reports the values that the options of this minor do not take.
    pub(crate) fn check(&self, field: &Field<'_>, minor: FlinkMinor, report: &mut Report) {
        let mut configuration = Configuration::new(minor);
        match flatten(&self.values, configuration.catalogue()) {
            Ok(entries) => {
                configuration.extend(entries.iter().map(|(key, value)| (&**key, value.clone())));
            }
            Err(error) => return report.add(field.node.at, &field.key, error.to_string()),
        }
        for finding in check(&configuration, Strictness::JobFile) {
            if finding.severity != Severity::Error {
                continue;
            }
            let at = self.positions.get(&finding.key).copied().unwrap_or(field.node.at);
            let message = match finding.problem {
                Problem::WrongValue { value, allowed } => format!("is {value:?}; {allowed}"),
                _ => finding.to_string(),
            };
            report.add(at, &join(&field.key, &finding.key), message);
        }
    }
}

struct Reader<'a> {
    parent: &'a str,
    options: Options,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn flatten(&mut self, prefix: &str, entries: &[Entry]) {
        for Entry { at, key, node } in entries {
            let full = join(prefix, key);
            match &node.value {
                Value::Map(entries) => self.flatten(&full, entries),
                _ => self.insert(*at, full, node),
            }
        }
    }

    fn insert(&mut self, at: Position, key: String, node: &Node) {
        let name = join(self.parent, &key);
        if key.trim().is_empty() {
            return self.report.add(at, self.parent, "has an option without a name");
        }
        if let Some(first) = self.options.positions.insert(key.clone(), at) {
            let message = format!("is set twice; the first time in line {}", first.line);
            return self.report.add(at, &name, message);
        }
        if let Some(value) = self.value(&name, node) {
            self.options.values.insert(key, value);
        }
    }

    fn value(&mut self, name: &str, node: &Node) -> Option<ConfigurationValue> {
        match &node.value {
            Value::Scalar(scalar) if scalar.is_null() => {
                let message = "has no value; write '' for an empty text, or leave the key out";
                self.report.add(node.at, name, message);
                None
            }
            Value::Scalar(scalar) => Some(typed(scalar)),
            Value::List(items) => {
                let values: Vec<_> = items.iter().map(|item| self.value(name, item)).collect();
                values.into_iter().collect::<Option<_>>().map(ConfigurationValue::List)
            }
            Value::Map(entries) => {
                let values: Vec<_> = entries
                    .iter()
                    .map(|entry| Some((entry.key.clone(), self.value(name, &entry.node)?)))
                    .collect();
                values.into_iter().collect::<Option<_>>().map(ConfigurationValue::Map)
            }
        }
    }
}

/// Flink reads options from text, so a scalar is given a type only where the type's own text is
/// what was written: `1.10` may be a version and `0755` a mode.
fn typed(scalar: &Scalar) -> ConfigurationValue {
    let text = scalar.text.as_str();
    let as_text = || ConfigurationValue::Text(text.to_owned());
    if !scalar.plain {
        return as_text();
    }
    if let Ok(boolean) = text.parse() {
        return ConfigurationValue::Boolean(boolean);
    }
    if let Some(integer) = text.parse::<i64>().ok().filter(|number| number.to_string() == text) {
        return ConfigurationValue::Integer(integer);
    }
    let float = text.parse::<f64>().ok();
    match float.filter(|number| number.is_finite() && number.to_string() == text) {
        Some(float) => ConfigurationValue::Float(float),
        None => as_text(),
    }
}
