//! A failed step of a pod's set-up.

use std::io;

/// What was being done, and the operating system's answer.
#[derive(Debug, thiserror::Error)]
#[error("{step}")]
pub(super) struct Failure {
    pub(super) step: String,
    #[source]
    pub(super) source: io::Error,
}

impl Failure {
    pub(super) fn new(step: impl Into<String>, source: io::Error) -> Self {
        Self { step: step.into(), source }
    }

    /// Step and cause in one line, for the report to the kubelet.
    pub(super) fn line(&self) -> String {
        format!("{}: {}", self.step, self.source)
    }
}

/// For `map_err`: names the step that failed.
pub(super) fn during<E: Into<io::Error>>(step: impl Into<String>) -> impl FnOnce(E) -> Failure {
    let step = step.into();
    move |source| Failure { step, source: source.into() }
}
