use flumen_model::{ArtifactRole, Digest, JobSpec};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Job, Operation};

/// A job as its file has it, with the files that it is made from, uploaded before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplyJob {
    /// The job; its name and environment must be those of the address.
    #[schema(value_type = Object)]
    pub spec: JobSpec,
    /// One entry for each path that the job names, except those that begin with `local://`.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// Whether a job that does not run is started, and one that runs replaced where the change takes
    /// that. Default: true.
    #[serde(default = "yes")]
    pub start: bool,
    /// Whether a change is carried out that puts the state of the job at risk. Default: false.
    #[serde(default)]
    pub force: bool,
}

pub(crate) const fn yes() -> bool {
    true
}

/// An uploaded file in the role it has for the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Artifact {
    /// The path as the job file names it.
    pub path: String,
    /// The content.
    #[schema(value_type = String, example = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")]
    pub digest: Digest,
    /// The name of the file in the image, without folders.
    pub name: String,
    /// What the file is for.
    #[serde(default)]
    #[schema(value_type = String, example = "usrlib")]
    pub role: ArtifactRole,
    /// Its length in bytes.
    pub size: u64,
}

/// What came of applying a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The job as it is now.
    pub job: Job,
    /// What is being done about it; absent where there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// What the new definition means for the job.
    pub change: Change,
    /// What is doubtful about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What a new definition means for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// The job is new.
    Created,
    /// Nothing differs.
    Unchanged,
    /// The definition differs; nothing is restarted for that.
    Configured,
    /// The running job is replaced, as its `upgradeMode` says.
    Restart,
}
