use flumen_model::Kind;

use crate::Finding;

/// What can be wrong with a Flink configuration. Values of sensitive keys are never in the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text under a key is no value of the type that is asked for.
    #[error("could not parse value '{value}' for key '{key}': {allowed}")]
    ParseValue {
        /// The key under which the value stands, which may be an alias.
        key: String,
        /// The value, or asterisks.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A configuration file is not what Flink reads. Its content is not in the text.
    #[error("could not parse {file}, line {line}, column {column}: {problem}")]
    ParseDocument {
        /// The name of the file.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The same key is given twice, nested and dotted.
    #[error("the key {key} is given twice: once nested and once with dots; keep one")]
    DuplicateKey {
        /// The key with dots.
        key: String,
    },
    /// A value has a form that no option takes.
    #[error("the key {key} has a value that no Flink option takes: {allowed}")]
    UnfitValue {
        /// The key with dots.
        key: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Values that their options do not allow: all of them.
    #[error("{}", list(findings))]
    WrongValues {
        /// One for each value, in the order of the keys.
        findings: Vec<Finding>,
    },
}

fn list(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

impl Error {
    pub(crate) fn parse_value(key: &str, value: &str, allowed: impl Into<String>) -> Self {
        Self::ParseValue {
            key: key.to_owned(),
            value: crate::sensitive::shown(key, value),
            allowed: allowed.into(),
        }
    }

    /// What sort of failure this is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::ParseValue { .. }
            | Self::ParseDocument { .. }
            | Self::DuplicateKey { .. }
            | Self::UnfitValue { .. }
            | Self::WrongValues { .. } => Kind::Invalid,
        }
    }
}
