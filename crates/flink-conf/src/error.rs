use flumen_model::Kind;

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
            Self::ParseValue { .. } => Kind::Invalid,
        }
    }
}
