use flumen_model::{EnvironmentName, FlinkVersion, ImagePython, TeamId};
use jiff::Timestamp;

use crate::{
    Error, Store,
    rows::{json, read_all},
};

/// A Flink version in an environment, with its base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlinkVersionRow {
    /// The version.
    pub version: FlinkVersion,
    /// The environment.
    pub environment: EnvironmentName,
    /// The base image, by digest.
    pub image: String,
    /// Where it was made from, in words.
    pub source: String,
    /// Its Python, if it has one with `PyFlink`.
    pub python: Option<ImagePython>,
    /// The jars of its folder `opt` that its entry point can make plugins. Default: none, or it is not known.
    pub built_in_plugins: Vec<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

const WHAT: &str = "Flink versions";

impl Store {
    /// Adds a version or replaces its image.
    pub async fn save_version(&self, team: TeamId, row: &FlinkVersionRow) -> Result<(), Error> {
        let python = row.python.as_ref().map(json);
        let statement = sqlx::query(
            "INSERT INTO flink_versions \
             (version, environment, team, image, source, created_at, python, built_in_plugins) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (version, environment) \
             DO UPDATE SET image = excluded.image, source = excluded.source, python = excluded.python, \
             built_in_plugins = excluded.built_in_plugins",
        )
        .bind(row.version.to_string())
        .bind(row.environment.as_str())
        .bind(team.to_string())
        .bind(&row.image)
        .bind(&row.source)
        .bind(row.created_at.as_millisecond())
        .bind(python)
        .bind(json(&row.built_in_plugins));
        self.execute("store.save-version", WHAT, statement).await.map(drop)
    }

    /// All versions, newest Flink first.
    pub async fn versions(&self) -> Result<Vec<FlinkVersionRow>, Error> {
        let query = sqlx::query("SELECT * FROM flink_versions");
        let found = self.rows(WHAT, query).await?;
        let mut versions = read_all(&found, WHAT, |columns| {
            Ok(FlinkVersionRow {
                version: columns.parsed("version")?,
                environment: columns.parsed("environment")?,
                image: columns.text("image")?,
                source: columns.text("source")?,
                python: columns.optional_json("python")?,
                built_in_plugins: columns.json("built_in_plugins")?,
                created_at: columns.time("created_at")?,
            })
        })?;
        versions.sort_by_key(|row| std::cmp::Reverse(row.version));
        Ok(versions)
    }

    /// Removes a version; says whether it was there.
    pub async fn delete_version(
        &self,
        version: FlinkVersion,
        environment: &EnvironmentName,
    ) -> Result<bool, Error> {
        let statement =
            sqlx::query("DELETE FROM flink_versions WHERE version = $1 AND environment = $2")
                .bind(version.to_string())
                .bind(environment.as_str());
        self.execute("store.delete-version", WHAT, statement)
            .await
            .map(|done| done.rows_affected() > 0)
    }
}
