use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// A Flink minor such as 1.20, which is what behaviour differs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FlinkMinor {
    major: u16,
    minor: u16,
}

impl FlinkMinor {
    /// Every minor that Flumen renders, oldest first.
    pub const SUPPORTED: [Self; 14] = [
        Self::new(1, 11),
        Self::new(1, 12),
        Self::new(1, 13),
        Self::new(1, 14),
        Self::new(1, 15),
        Self::new(1, 16),
        Self::new(1, 17),
        Self::new(1, 18),
        Self::new(1, 19),
        Self::new(1, 20),
        Self::new(2, 0),
        Self::new(2, 1),
        Self::new(2, 2),
        Self::new(2, 3),
    ];

    /// The minor `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The number before the point: what was made for another one does not run.
    pub const fn major(self) -> u16 {
        self.major
    }

    /// Whether Flumen knows this minor (see [`FlinkMinor::SUPPORTED`]).
    pub fn is_supported(self) -> bool {
        Self::SUPPORTED.contains(&self)
    }
}

impl From<(u16, u16)> for FlinkMinor {
    fn from((major, minor): (u16, u16)) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for FlinkMinor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for FlinkMinor {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let parts = numbers(text);
        match parts.as_deref() {
            Some(&[major, minor]) => Ok(Self { major, minor }),
            _ => Err(InvalidValue::new("Flink minor", text, "expected two numbers such as 1.20")),
        }
    }
}

/// A released Flink version such as 1.20.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FlinkVersion {
    minor: FlinkMinor,
    patch: u16,
}

impl FlinkVersion {
    /// The version `minor.patch`.
    pub const fn new(minor: FlinkMinor, patch: u16) -> Self {
        Self { minor, patch }
    }

    /// The minor, which is what behaviour differs by.
    pub const fn minor(self) -> FlinkMinor {
        self.minor
    }

    /// The patch number.
    pub const fn patch(self) -> u16 {
        self.patch
    }
}

impl fmt::Display for FlinkVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.minor, self.patch)
    }
}

impl FromStr for FlinkVersion {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let parts = numbers(text);
        let Some(&[major, minor, patch]) = parts.as_deref() else {
            return Err(InvalidValue::new(
                "Flink version",
                text,
                "expected three numbers such as 1.20.5",
            ));
        };
        let minor = FlinkMinor { major, minor };
        if minor.is_supported() {
            Ok(Self { minor, patch })
        } else {
            Err(InvalidValue::new(
                "Flink version",
                text,
                "Flumen knows Flink 1.11 to 1.20 and 2.0 to 2.3",
            ))
        }
    }
}

fn numbers(text: &str) -> Option<Vec<u16>> {
    text.split('.').map(|part| part.parse().ok().filter(|n: &u16| n.to_string() == part)).collect()
}

macro_rules! text_form {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(version: $name) -> Self {
                version.to_string()
            }
        }
    };
}
text_form!(FlinkMinor);
text_form!(FlinkVersion);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minors_order_by_number_and_not_by_text() {
        let minor = |text: &str| text.parse::<FlinkMinor>().expect("valid");
        assert!(minor("1.9") < minor("1.11"));
        assert!(minor("1.20") < minor("2.0"));
        assert!(FlinkMinor::SUPPORTED.is_sorted());
    }

    #[test]
    fn versions_that_are_not_known_are_refused_with_what_is() {
        for bad in ["", "1.20", "1.10.3", "1.020.1", "2.4.0", "1.20.5-SNAPSHOT", "v1.20.5"] {
            assert!(bad.parse::<FlinkVersion>().is_err(), "{bad}");
        }
        let error = "3.0.0".parse::<FlinkVersion>().expect_err("unknown");
        assert!(error.to_string().contains("2.0 to 2.3"), "{error}");
    }
}
