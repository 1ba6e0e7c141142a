use crate::Kind;

/// A text that is not a valid value of a type: which type, the text, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} is not valid: {allowed}")]
pub struct InvalidValue {
    /// What the value was meant to be, for example `cluster id`.
    pub what: &'static str,
    /// The text that was refused.
    pub value: String,
    /// What is allowed, as the end of the sentence.
    pub allowed: String,
}

impl InvalidValue {
    /// Says that `value` is no valid `what`, and what is `allowed`.
    pub fn new(what: &'static str, value: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { what, value: value.into(), allowed: allowed.into() }
    }

    /// Always [`Kind::Invalid`].
    pub const fn kind(&self) -> Kind {
        Kind::Invalid
    }
}
