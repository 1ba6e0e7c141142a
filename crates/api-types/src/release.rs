use flumen_model::{ArtifactRole, Digest, FlinkVersion, ProjectName, ReleaseId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// An immutable build of a job. Its id is the hash of its content, so the same inputs are the same
/// release, in every environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ReleaseId,
    /// Which release of the job it is, from 1.
    pub number: u64,
    /// When it was first made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// The Flink version.
    #[schema(value_type = String, example = "1.20.5")]
    pub flink_version: FlinkVersion,
    /// The files that Flumen delivers, the main one first.
    pub artifacts: Vec<ReleaseArtifact>,
    /// The builds of projects that files of it came from, when it was first made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<ReleaseSource>,
    /// The rest of the job file: all of it but the environment and where the files came from.
    #[schema(value_type = Object)]
    pub job: Map<String, Value>,
}

/// Where a file of a release came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseSource {
    /// The file's name in the image.
    pub name: String,
    /// The project.
    #[schema(value_type = String, example = "orders")]
    pub project: ProjectName,
    /// The number of its build.
    pub build: u64,
    /// The repository.
    pub repository: String,
    /// The commit.
    pub commit: String,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseArtifact {
    /// Its name in the image.
    pub name: String,
    /// Its content.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// What it is for.
    #[schema(value_type = String, example = "usrlib")]
    pub role: ArtifactRole,
    /// What it is in a Maven repository, if it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "org.postgresql:postgresql:jar:42.7.3")]
    pub maven: Option<String>,
}
