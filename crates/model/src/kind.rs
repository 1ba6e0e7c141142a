use serde::{Deserialize, Serialize};

/// What sort of failure an error is, for the few places that act on it: the HTTP status, the exit
/// code and the decision to try again are each one `match` on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The request or a value in it is wrong; the same request fails again.
    Invalid,
    /// What was named does not exist.
    NotFound,
    /// It exists already, or was changed by someone else meanwhile.
    Conflict,
    /// The caller is not allowed to do this, or did not say who it is.
    Denied,
    /// The other side could not be reached or is not ready; trying again may help.
    Unavailable,
    /// No answer within the time given; whether it happened is unknown.
    Timeout,
    /// A fault of Flumen itself.
    Bug,
}

impl Kind {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::Timeout)
    }
}
