use flumen_model::JobSpec;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Artifact, JobReference};

/// A job as its file has it, to be compared with what the job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiffJob {
    /// The job; its name and environment must be those of the address.
    #[schema(value_type = Object)]
    pub spec: JobSpec,
    /// One entry for each path that the job names, except those that begin with `local://`. They need
    /// not be uploaded.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
}

/// What applying a job file would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobDiff {
    /// The job.
    pub job: JobReference,
    /// What all changes take together.
    pub effect: Effect,
    /// Whether there is no such job yet.
    pub is_new: bool,
    /// Whether there is a run that would have to be replaced.
    pub runs: bool,
    /// Where the file differs from what the job is, by field.
    pub changes: Vec<FieldChange>,
}

/// Where one release of a job differs from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseDiff {
    /// The job.
    pub job: JobReference,
    /// The number of the release that is compared with.
    pub from: u64,
    /// The number of the release that is compared.
    pub to: u64,
    /// What it takes to go from one to the other.
    pub effect: Effect,
    /// Where they differ, by field.
    pub changes: Vec<FieldChange>,
}

/// One place in which a job file differs from what the job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Which, as a path in the job file.
    #[schema(example = "configuration.state.backend.type")]
    pub field: String,
    /// What it is; absent where there is none. Values of secret options are hidden, so that both may be `******`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is to be; absent where it is to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What it takes.
    pub effect: Effect,
    /// Why the state is at risk, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
}

/// What it takes to carry a change out; later ones weigh more.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Nothing differs.
    NoOp,
    /// Only what Flumen does with the job is different: the job runs on.
    InPlace,
    /// The job is replaced by a new run, with its state.
    Restart,
    /// The new run may not get the state of the one before.
    StateAtRisk,
}
