//! Typed access to the fields of a map, which collects problems instead of stopping at the first.

use std::{collections::HashMap, str::FromStr};

use flumen_model::InvalidValue;
use jiff::SignedDuration;

use crate::{
    Problem,
    node::{Entry, Node, Position, Value},
};

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) problems: Vec<Problem>,
}

impl Report {
    pub(crate) fn add(&mut self, at: Position, key: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            line: at.line,
            column: at.column,
            key: key.to_owned(),
            message: message.into(),
        });
    }
}

/// One value and the full name of its key.
pub(crate) struct Field<'a> {
    pub(crate) key: String,
    pub(crate) node: &'a Node,
}

/// The entries of a map of which all keys are known.
pub(crate) struct Fields<'a> {
    parent: String,
    at: Position,
    entries: HashMap<&'a str, &'a Node>,
}

impl<'a> Fields<'a> {
    /// Reports what is no map, unknown keys and keys that stand there twice.
    pub(crate) fn new(field: &Field<'a>, known: &[&str], report: &mut Report) -> Option<Self> {
        let Value::Map(list) = &field.node.value else {
            let message =
                format!("is {}; expected a map with {}", field.node.describe(), listed(known));
            report.add(field.node.at, &field.key, message);
            return None;
        };
        let mut entries = HashMap::new();
        for Entry { at, key, node } in list {
            let full = join(&field.key, key);
            if !known.contains(&key.as_str()) {
                report.add(*at, &full, unknown(key, known));
            } else if entries.insert(key.as_str(), node).is_some() {
                report.add(*at, &full, "is there twice; leave one of them out");
            }
        }
        Some(Self { parent: field.key.clone(), at: field.node.at, entries })
    }

    /// The value of `key`, if the file has it. An empty value is as good as none.
    pub(crate) fn get(&self, key: &str) -> Option<Field<'a>> {
        let node = *self.entries.get(key)?;
        let null = matches!(&node.value, Value::Scalar(scalar) if scalar.is_null());
        (!null).then(|| Field { key: join(&self.parent, key), node })
    }

    /// The value of `key`, which must be there.
    pub(crate) fn required(&self, key: &str, report: &mut Report) -> Option<Field<'a>> {
        let field = self.get(key);
        if field.is_none() {
            let at = self.entries.get(key).map_or(self.at, |node| node.at);
            report.add(at, &join(&self.parent, key), "is missing; it is required");
        }
        field
    }
}

impl<'a> Field<'a> {
    pub(crate) fn refuse(&self, expected: &str, report: &mut Report) {
        let message = format!("is {}; expected {expected}", self.node.describe());
        report.add(self.node.at, &self.key, message);
    }

    /// Any scalar, as it was written.
    pub(crate) fn text(&self, report: &mut Report) -> Option<&'a str> {
        match &self.node.value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            _ => {
                self.refuse("a text", report);
                None
            }
        }
    }

    pub(crate) fn parsed<T>(&self, report: &mut Report) -> Option<T>
    where
        T: FromStr<Err = InvalidValue>,
    {
        match self.text(report)?.parse() {
            Ok(value) => Some(value),
            Err(InvalidValue { value, allowed, .. }) => {
                report.add(self.node.at, &self.key, format!("is {value:?}; {allowed}"));
                None
            }
        }
    }

    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)], report: &mut Report) -> Option<T> {
        let text = self.text(report)?;
        let chosen = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if chosen.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            self.refuse(&format!("one of {}", names.join(", ")), report);
        }
        chosen
    }

    /// A whole number of at least 1.
    pub(crate) fn count(&self, report: &mut Report) -> Option<u32> {
        let number = self.text(report)?.parse().ok().filter(|number| *number >= 1);
        if number.is_none() {
            self.refuse("a whole number of at least 1", report);
        }
        number
    }

    /// A whole number of at least 0.
    pub(crate) fn number(&self, report: &mut Report) -> Option<u32> {
        let number = self.text(report)?.parse().ok();
        if number.is_none() {
            self.refuse("a whole number of at least 0", report);
        }
        number
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, report: &mut Report) -> Option<bool> {
        self.choice(&[("true", true), ("false", false)], report)
    }

    /// A time that is longer than none.
    pub(crate) fn duration(&self, report: &mut Report) -> Option<SignedDuration> {
        let time = self.text(report)?.parse().ok().filter(SignedDuration::is_positive);
        if time.is_none() {
            self.refuse("a time greater than 0 with its unit, such as 10 s, 5 min or 1 h", report);
        }
        time
    }

    /// A number of CPU cores.
    pub(crate) fn cores(&self, report: &mut Report) -> Option<f64> {
        let cores =
            self.text(report)?.parse().ok().filter(|cores: &f64| cores.is_finite() && *cores > 0.0);
        if cores.is_none() {
            self.refuse("a number of cores greater than 0, such as 1 or 0.5", report);
        }
        cores
    }

    /// The items of a list.
    pub(crate) fn items(&self, expected: &str, report: &mut Report) -> Vec<Field<'a>> {
        let Value::List(items) = &self.node.value else {
            self.refuse(expected, report);
            return Vec::new();
        };
        let item = |(index, node)| Field { key: format!("{}[{index}]", self.key), node };
        items.iter().enumerate().map(item).collect()
    }
}

pub(crate) fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

fn listed(keys: &[&str]) -> String {
    keys.join(", ")
}

fn unknown(key: &str, known: &[&str]) -> String {
    let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&plain(key), &plain(candidate));
    let nearest = known.iter().map(|candidate| (distance(candidate), *candidate)).min();
    match nearest {
        Some((distance, candidate)) if distance * 3 <= candidate.len() => {
            format!("is not a key that a job file has; did you mean {candidate}?")
        }
        _ => format!("is not a key that a job file has; allowed here: {}", listed(known)),
    }
}
