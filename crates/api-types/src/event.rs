use flumen_model::EventId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An entry of a job's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its id; later events have greater ones.
    #[schema(value_type = String, format = "uuid")]
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What sort of event it is, such as `state`, `operation` or `kubernetes`.
    pub kind: String,
    /// What happened, in one sentence.
    pub message: String,
}
