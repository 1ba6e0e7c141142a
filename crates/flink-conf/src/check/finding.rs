use std::fmt;

use flumen_model::FlinkMinor;

use crate::Layer;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The configuration must not be used.
    Error,
    /// The user should know.
    Warning,
}

/// Something wrong or doubtful about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The key as it was given.
    pub key: String,
    /// The layer that set it, where there are layers.
    pub layer: Option<Layer>,
    /// The Flink minor whose options count.
    pub minor: FlinkMinor,
    /// What it is.
    pub problem: Problem,
}

/// What can be wrong or doubtful about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The option does not take this value.
    WrongValue {
        /// The value as text, or asterisks.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// The file that this minor reads has no way to write it.
    Unwritable {
        /// What happens to it, as a sentence.
        what: &'static str,
    },
    /// No option has this key, but one has a key much like it.
    UnknownKey {
        /// The key that may be meant.
        suggestion: &'static str,
    },
    /// This minor has no such option; others have.
    OtherVersion {
        /// The minors that have it.
        minors: Vec<FlinkMinor>,
    },
    /// Flink reads the key with a warning.
    Deprecated {
        /// The key that has taken its place.
        preferred: &'static str,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, minor, .. } = self;
        let set_by = self.layer.map_or_else(String::new, |layer| format!(" (layer '{layer}')"));
        match &self.problem {
            Problem::WrongValue { value, allowed } => {
                write!(out, "the value '{value}' of '{key}'{set_by} is not allowed: {allowed}")
            }
            Problem::Unwritable { what } => {
                write!(
                    out,
                    "the value of '{key}'{set_by} cannot be written to flink-conf.yaml, which Flink {minor} reads: {what}"
                )
            }
            Problem::UnknownKey { suggestion } => {
                write!(
                    out,
                    "Flink {minor} has no option '{key}'{set_by}: did you mean '{suggestion}'?"
                )
            }
            Problem::OtherVersion { minors } => {
                let which = ranges(minors);
                write!(
                    out,
                    "Flink {minor} has no option '{key}'{set_by}: it is an option of Flink {which}"
                )
            }
            Problem::Deprecated { preferred } => {
                write!(
                    out,
                    "the key '{key}'{set_by} is deprecated in Flink {minor}: use '{preferred}'"
                )
            }
        }
    }
}

/// `1.11 to 1.20`, `1.13 and 2.0 to 2.3`.
fn ranges(minors: &[FlinkMinor]) -> String {
    let known = FlinkMinor::SUPPORTED;
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for at in (0..known.len()).filter(|at| minors.contains(&known[*at])) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => ranges.push((at, at)),
        }
    }
    let text = |(first, last): (usize, usize)| {
        if first == last {
            known[first].to_string()
        } else {
            format!("{} to {}", known[first], known[last])
        }
    };
    ranges.into_iter().map(text).collect::<Vec<_>>().join(" and ")
}
