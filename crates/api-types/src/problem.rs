use flumen_model::Kind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request failed (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The sort of failure in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable name of the failure, such as `job.not_found`; docs/errors.md lists them.
    pub code: String,
    /// The sort of failure, which the status follows from.
    #[schema(value_type = String, example = "notFound")]
    pub kind: Kind,
    /// What failed, on what, and why. Absent where the fault is Flumen's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What lies behind it, the nearest cause first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The request's id, which the server's log has too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
