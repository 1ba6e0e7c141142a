use flumen_model::{Digest, GitReference, OperationId, ProjectSpec};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::OperationState;

/// Sources in a git repository, and what makes a jar of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// What its file says.
    #[schema(value_type = Object)]
    pub spec: ProjectSpec,
    /// Counts its changes; the `ETag`.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Its newest builds, newest first; in a list only the newest.
    pub builds: Vec<ProjectBuild>,
}

/// One build of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectBuild {
    /// Which build of the project it is, from 1.
    pub number: u64,
    /// Its operation, which has the steps.
    #[schema(value_type = String, format = "uuid")]
    pub operation: OperationId,
    /// What was to be built: a branch, a tag or a commit.
    #[serde(rename = "ref")]
    pub reference: String,
    /// How far it is.
    pub state: OperationState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The jar that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<BuiltArtifact>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who asked for it.
    pub created_by: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// The jar of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuiltArtifact {
    /// The commit that it was built from.
    pub commit: String,
    /// Its content.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where it was, below the directory of the project.
    pub path: String,
}

/// A project as its file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaveProject {
    /// The project; its name must be that of the address.
    #[schema(value_type = Object)]
    pub spec: ProjectSpec,
}

/// What is to be built of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildProject {
    /// A branch, a tag, or the whole id of a commit. Default: what the project says.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reference: Option<GitReference>,
}

/// Which log of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectLogQuery {
    /// The number of the build. Default: the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u64>,
    /// Whether it is sent as it is written, until the build ends. Default: false.
    #[serde(default)]
    pub follow: bool,
}
