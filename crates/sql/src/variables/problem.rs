use std::fmt;

use flumen_flink_conf::Severity;

use crate::{Finding, Position, Problem};

/// What can be wrong or doubtful about the variables of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableProblem {
    /// Nobody gives the variable a value.
    Unknown {
        /// Its name.
        name: String,
        /// What may be meant.
        suggestion: Option<String>,
    },
    /// The variable has a value, and the script does not use it.
    Unused {
        /// Its name.
        name: String,
    },
    /// `${` begins no variable.
    Malformed,
    /// In no quotes, the value would take what follows it with it.
    NotClosed {
        /// Its name.
        name: String,
    },
    /// `${secret:` is followed by no name and entry of a Secret.
    MalformedSecret,
    /// A secret stands elsewhere than in a plain text.
    SecretPlace,
    /// A secret stands in the value of a variable.
    SecretInValue {
        /// Its name.
        name: String,
    },
    /// A secret stands in a statement whose result is printed, or in a `SET`.
    SecretShown,
    /// A secret stands in a statement whose plan Flink shows.
    SecretInPlan,
}

impl VariableProblem {
    /// A stable name, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknownVariable",
            Self::Unused { .. } => "unusedVariable",
            Self::Malformed => "malformedVariable",
            Self::NotClosed { .. } => "variableNotClosed",
            Self::MalformedSecret => "malformedSecret",
            Self::SecretPlace | Self::SecretInValue { .. } => "secretPlace",
            Self::SecretShown => "secretShown",
            Self::SecretInPlan => "secretInPlan",
        }
    }

    pub(crate) const fn severity(&self) -> Severity {
        match self {
            Self::Unused { .. } | Self::SecretInPlan => Severity::Warning,
            _ => Severity::Error,
        }
    }

    pub(crate) const fn at(self, at: Position) -> Finding {
        Problem::Variable(self).at(at)
    }
}

impl fmt::Display for VariableProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, suggestion: Some(known) } => {
                write!(out, "the variable {name} has no value; did you mean {known}?")
            }
            Self::Unknown { name, suggestion: None } => write!(
                out,
                "the variable {name} has no value: give it one, or write $${{ for the characters ${{"
            ),
            Self::Unused { name } => {
                write!(out, "the variable {name} has a value, and the script does not use it")
            }
            Self::Malformed => out.write_str(
                "${ begins a variable, such as ${name}; write $${ for the characters themselves",
            ),
            Self::NotClosed { name } => write!(
                out,
                "the value of the variable {name} would take what follows it with it: a quote or comment in it has no end"
            ),
            Self::MalformedSecret => out.write_str(
                "expected ${secret:NAME/KEY}, with the name of a Secret and of its entry",
            ),
            Self::SecretPlace => out.write_str(
                "a secret can stand only in a text of its own kind: '…', without a prefix",
            ),
            Self::SecretInValue { name } => write!(
                out,
                "the value of the variable {name} names a secret, which only the script itself can: write ${{secret:NAME/KEY}} there"
            ),
            Self::SecretShown => out.write_str(
                "a secret cannot stand in a statement that prints something, or in SET: Flink shows both",
            ),
            Self::SecretInPlan => out.write_str(
                "Flink shows the plan of this statement with its texts, and so the secret: name secrets in the options of tables and catalogs only",
            ),
        }
    }
}
