//! What Flink answers of everything that one call begins and another looks at.

use serde::Deserialize;

use crate::{TriggerId, exceptions::FailureCause};

/// The answer of a call that begins something.
#[derive(Deserialize)]
pub(crate) struct Triggered {
    #[serde(rename = "request-id")]
    id: TriggerId,
}

impl From<Triggered> for TriggerId {
    fn from(answer: Triggered) -> Self {
        answer.id
    }
}

/// How far it is. While it is under way `operation` is null or absent.
#[derive(Deserialize)]
pub(crate) struct Status<T> {
    pub(crate) status: Word,
    #[serde(default = "none")]
    pub(crate) operation: Option<Operation<T>>,
}

/// A default that asks nothing of the type.
const fn none<T>() -> Option<T> {
    None
}

#[derive(Deserialize)]
pub(crate) struct Word {
    pub(crate) id: String,
}

#[derive(Deserialize)]
pub(crate) struct Operation<T> {
    #[serde(rename = "failure-cause", default)]
    pub(crate) failure_cause: Option<FailureCause>,
    #[serde(flatten)]
    pub(crate) result: T,
}
