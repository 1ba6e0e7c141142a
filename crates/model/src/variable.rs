//! Variables of SQL scripts.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// The name of a variable: letters, digits, `_`, `.` and `-`, beginning with a letter or `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariableName(String);

impl VariableName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VariableName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if begins && text.bytes().all(is_inner) {
            return Ok(Self(text.to_owned()));
        }
        let allowed = "use letters, digits, '_', '.' and '-', beginning with a letter or '_'";
        Err(InvalidValue::new("name of a variable", text, allowed))
    }
}

impl TryFrom<String> for VariableName {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<VariableName> for String {
    fn from(name: VariableName) -> Self {
        name.0
    }
}

impl std::borrow::Borrow<str> for VariableName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A variable and its value, `NAME=VALUE`. The value may be empty, and may hold `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableAssignment {
    /// The variable.
    pub name: VariableName,
    /// Its value.
    pub value: String,
}

impl FromStr for VariableAssignment {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(InvalidValue::new("variable", text, "expected NAME=VALUE"));
        };
        Ok(Self { name: name.parse()?, value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_a_name_and_any_value() {
        for (text, name, value) in [("a=b", "a", "b"), ("_a.b-1==", "_a.b-1", "="), ("a=", "a", "")]
        {
            let read: VariableAssignment = text.parse().expect("an assignment");
            assert_eq!((read.name.as_str(), read.value.as_str()), (name, value));
        }
        for text in ["a", "=b", "1a=b", "a b=c", "é=1", ""] {
            let refusal = text.parse::<VariableAssignment>().expect_err("none");
            assert!(refusal.to_string().contains("expected") || refusal.what.contains("name"));
        }
    }
}
