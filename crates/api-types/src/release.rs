use std::collections::BTreeMap;

use flumen_model::{ConfigurationValue, FlinkVersion, ReleaseId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Artifact;

/// An immutable build of a job. Its id is the hash of its content, so the same inputs are the same
/// release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ReleaseId,
    /// When it was first made.
    pub created_at: Timestamp,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The Flink version.
    #[schema(value_type = String, example = "1.20.5")]
    pub flink_version: FlinkVersion,
    /// The files.
    pub artifacts: Vec<Artifact>,
    /// The job's own Flink configuration.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub configuration: BTreeMap<String, ConfigurationValue>,
}
