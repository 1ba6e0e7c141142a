use std::collections::{BTreeMap, BTreeSet};

use flumen_model::{ArtifactRole, Digest, FlinkVersion, JobId, ReleaseId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Error, Store,
    database::Writing,
    rows::{json, read_all},
};

/// One immutable build of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// The hash of the content.
    pub id: ReleaseId,
    /// The job.
    pub job: JobId,
    /// Counts the releases of the job from 1.
    pub number: i64,
    /// What it is made of.
    pub content: ReleaseContent,
    /// When it was made first.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What a release is made of, which is also what its id is the hash of. It names no environment, so
/// that the same release can go from one to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseContent {
    /// The Flink version.
    pub flink_version: FlinkVersion,
    /// The artifacts that Flumen delivers, the main one first.
    pub artifacts: Vec<ReleaseArtifact>,
    /// The rest of the job file: all of it but the environment and where the artifacts came from.
    pub job: Map<String, Value>,
    /// What its script needs of the pods.
    #[serde(default, skip_serializing_if = "ScriptNeeds::is_none")]
    pub script: ScriptNeeds,
}

/// What a script in SQL needs of the pods that it runs in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptNeeds {
    /// The Secrets that it names, and their entries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, BTreeSet<String>>,
    /// Whether it calls functions in Python.
    #[serde(default, skip_serializing_if = "is_false")]
    pub python: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl ScriptNeeds {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseArtifact {
    /// The file name it gets.
    pub name: String,
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What it is for.
    pub role: ArtifactRole,
    /// What it is in a Maven repository, if it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maven: Option<String>,
}

const WHAT: &str = "releases";

pub(crate) async fn insert(
    writing: &mut Writing,
    team: &str,
    release: &Release,
) -> Result<(), Error> {
    let statement = sqlx::query(
        "INSERT INTO releases (id, job, number, team, content, created_at, created_by) \
         SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6 FROM releases WHERE job = $2 \
         ON CONFLICT (job, id) DO NOTHING",
    )
    .bind(release.id.to_string())
    .bind(release.job.to_string())
    .bind(team)
    .bind(json(&release.content))
    .bind(release.created_at.as_millisecond())
    .bind(&release.created_by);
    writing.execute(WHAT, statement).await?;
    for artifact in &release.content.artifacts {
        let statement = sqlx::query(
            "INSERT INTO release_artifacts (job, release, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(release.job.to_string())
        .bind(release.id.to_string())
        .bind(artifact.digest.as_str());
        writing.execute(WHAT, statement).await?;
    }
    Ok(())
}

impl Store {
    /// The releases of a job, newest first.
    pub async fn releases(&self, job: JobId) -> Result<Vec<Release>, Error> {
        let query = sqlx::query("SELECT * FROM releases WHERE job = $1 ORDER BY number DESC")
            .bind(job.to_string());
        let found = self.rows(WHAT, query).await?;
        read_all(&found, WHAT, |columns| {
            Ok(Release {
                id: columns.parsed("id")?,
                job: columns.parsed("job")?,
                number: columns.number("number")?,
                content: columns.json("content")?,
                created_at: columns.time("created_at")?,
                created_by: columns.text("created_by")?,
            })
        })
    }

    /// One release of a job.
    pub async fn release(&self, job: JobId, id: &ReleaseId) -> Result<Option<Release>, Error> {
        Ok(self.releases(job).await?.into_iter().find(|release| release.id == *id))
    }
}
