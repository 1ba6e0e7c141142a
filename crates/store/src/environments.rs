use std::collections::BTreeMap;

use flumen_model::{
    ConfigurationValue, Delivery, EnvironmentName, FetchFrom, Namespace, Storage, TeamId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store,
    rows::{json, read_all},
};

/// Where jobs run, with the version that an edit must name.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// What it says.
    pub document: EnvironmentDocument,
    /// Counts the changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an environment says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentDocument {
    /// The cluster.
    pub cluster: String,
    /// The namespace in it.
    pub namespace: Namespace,
    /// The registry's address and image prefix, as the pods' nodes reach it, for example `host:5000/flumen`.
    pub registry: String,
    /// Where checkpoints, savepoints and high-availability data lie.
    pub storage: Storage,
    /// How the files of its jobs get into their pods, where a job does not say it.
    #[serde(default)]
    pub delivery: Delivery,
    /// From where init containers fetch these files. One that was written down before it could be chosen has none.
    #[serde(default)]
    pub fetch_from: FetchFrom,
    /// Flink configuration that every job there starts from.
    #[serde(default)]
    pub configuration: BTreeMap<String, ConfigurationValue>,
}

const WHAT: &str = "environments";

impl Store {
    /// Creates or replaces an environment; one that is there only in this version, if one is named. Says whether
    /// anything was written, which is not so for one that says the same already.
    ///
    /// # Errors
    /// [`Error::NoCluster`] if its cluster is not there, or not any more: what is removed meanwhile gets no environment.
    pub async fn save_environment(
        &self,
        team: TeamId,
        (name, document): (&EnvironmentName, &EnvironmentDocument),
        version: Option<i64>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let statement = sqlx::query(
            "INSERT INTO environments (name, team, document, version, created_at) \
             SELECT $1, $2, $3, 1, $4 WHERE EXISTS (SELECT 1 FROM clusters WHERE name = $6) ON CONFLICT (name) \
             DO UPDATE SET document = excluded.document, version = environments.version + 1 \
             WHERE environments.document <> excluded.document AND ($5 IS NULL OR environments.version = $5)",
        )
        .bind(name.as_str())
        .bind(team.to_string())
        .bind(json(document))
        .bind(now.as_millisecond())
        .bind(version)
        .bind(&document.cluster);
        let done = self.execute("store.save-environment", WHAT, statement).await?;
        if done.rows_affected() > 0 {
            return Ok(true);
        }
        let cluster = sqlx::query("SELECT 1 FROM clusters WHERE name = $1").bind(&document.cluster);
        if self.row(WHAT, cluster).await?.is_none() {
            let (environment, cluster) = (name.to_string(), document.cluster.clone());
            return Err(Error::NoCluster { environment, cluster });
        }
        Ok(false)
    }

    /// All environments by name.
    pub async fn environments(&self) -> Result<Vec<Environment>, Error> {
        let query = sqlx::query("SELECT * FROM environments ORDER BY name");
        let found = self.rows(WHAT, query).await?;
        read_all(&found, WHAT, |columns| {
            Ok(Environment {
                name: columns.parsed("name")?,
                document: columns.json("document")?,
                version: columns.number("version")?,
                created_at: columns.time("created_at")?,
            })
        })
    }

    /// One environment.
    pub async fn environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, Error> {
        Ok(self.environments().await?.into_iter().find(|environment| environment.name == *name))
    }
}
