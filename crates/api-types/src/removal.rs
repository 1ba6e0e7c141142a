use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An order to remove what nothing needs any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prune {
    /// Whether it is only said what would be removed. Default: no.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of what nothing needs, or would become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pruned {
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// Releases, then files of artifacts, then images.
    pub items: Vec<PrunedItem>,
}

/// Something that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrunedItem {
    /// What sort of thing.
    pub kind: RemovalKind,
    /// Of a release environment, job and number; of a file its digest; of an image its reference.
    #[schema(example = "local/word-count 3")]
    pub name: String,
    /// How many bytes it has; of an image, those that were sent for it.
    pub bytes: u64,
    /// What became of it.
    pub fate: Fate,
    /// Until when it is kept, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why it could not be removed, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What becomes of what nothing needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// It is removed.
    Removed,
    /// It would be removed now.
    Due,
    /// It is kept for the time being.
    Kept,
}

/// What sort of thing is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RemovalKind {
    /// A release of a job.
    Release,
    /// The file of an artifact.
    Artifact,
    /// An image in a registry.
    Image,
}

/// Something that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// When.
    pub at: Timestamp,
    /// What sort of thing.
    pub kind: RemovalKind,
    /// What it was called.
    pub name: String,
    /// How many bytes it had; of an image, those that were sent for it.
    pub bytes: u64,
}
