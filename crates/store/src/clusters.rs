use flumen_model::{ClusterAccess, Namespace, TeamId};
use jiff::Timestamp;

use crate::{
    Error, Store,
    rows::{Columns, json, read_all},
};

/// A Kubernetes cluster that Flumen deploys to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its name; `local` is the local cluster.
    pub name: String,
    /// How Flumen gets at it, without anything secret.
    pub access: ClusterAccess,
    /// Counts the changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A cluster as it shall be.
#[derive(Debug, Clone, Copy)]
pub struct ClusterChange<'a> {
    /// Its name.
    pub name: &'a str,
    /// How Flumen gets at it.
    pub access: &'a ClusterAccess,
    /// The kubeconfig that was given, encrypted.
    pub credentials: Option<&'a str>,
}

const WHAT: &str = "clusters";

impl Store {
    /// Writes a new cluster down; says whether there was none of that name.
    pub async fn add_cluster(
        &self,
        team: TeamId,
        change: ClusterChange<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let statement = sqlx::query(
            "INSERT INTO clusters (name, team, document, credentials, version, created_at) \
             VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (name) DO NOTHING",
        )
        .bind(change.name)
        .bind(team.to_string())
        .bind(json(change.access))
        .bind(change.credentials)
        .bind(now.as_millisecond());
        let done = self.execute("store.add-cluster", WHAT, statement).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Replaces what is known of a cluster, only in this version if one is named; says whether that was so.
    pub async fn replace_cluster(
        &self,
        change: ClusterChange<'_>,
        version: Option<i64>,
    ) -> Result<bool, Error> {
        let statement = sqlx::query(
            "UPDATE clusters SET document = $2, credentials = $3, version = version + 1 \
             WHERE name = $1 AND ($4 IS NULL OR version = $4)",
        )
        .bind(change.name)
        .bind(json(change.access))
        .bind(change.credentials)
        .bind(version);
        let done = self.execute("store.replace-cluster", WHAT, statement).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Removes a cluster that no environment and no job is in; says whether it was removed.
    pub async fn remove_cluster(&self, name: &str) -> Result<bool, Error> {
        let statement = sqlx::query(
            "DELETE FROM clusters WHERE name = $1 \
             AND NOT EXISTS (SELECT 1 FROM environments WHERE json_extract(document, '$.cluster') = $1) \
             AND NOT EXISTS (SELECT 1 FROM jobs WHERE cluster = $1)",
        )
        .bind(name);
        let done = self.execute("store.remove-cluster", WHAT, statement).await?;
        Ok(done.rows_affected() > 0)
    }

    /// All clusters by name.
    pub async fn clusters(&self) -> Result<Vec<Cluster>, Error> {
        let query =
            sqlx::query("SELECT name, document, version, created_at FROM clusters ORDER BY name");
        let found = self.rows(WHAT, query).await?;
        read_all(&found, WHAT, |columns| {
            Ok(Cluster {
                name: columns.text("name")?,
                access: columns.json("document")?,
                version: columns.number("version")?,
                created_at: columns.time("created_at")?,
            })
        })
    }

    /// The kubeconfig that was given for a cluster, encrypted.
    pub async fn cluster_credentials(&self, name: &str) -> Result<Option<String>, Error> {
        let query = sqlx::query("SELECT credentials FROM clusters WHERE name = $1").bind(name);
        let row = self.row(WHAT, query).await?;
        Ok(row
            .map(|row| Columns::of(&row, WHAT).optional_text("credentials"))
            .transpose()?
            .flatten())
    }

    /// Whether anything is encrypted.
    pub async fn has_secrets(&self) -> Result<bool, Error> {
        let query = sqlx::query("SELECT 1 FROM clusters WHERE credentials IS NOT NULL LIMIT 1");
        Ok(self.row(WHAT, query).await?.is_some())
    }

    /// Where jobs are or may be: each cluster with its namespaces, those of environments and those that jobs are in still.
    pub async fn places(&self) -> Result<Vec<(String, Namespace)>, Error> {
        const WHAT: &str = "places of jobs";
        let query = sqlx::query(
            "SELECT json_extract(document, '$.cluster') AS cluster, json_extract(document, '$.namespace') AS namespace \
             FROM environments UNION SELECT cluster, namespace FROM jobs",
        );
        let found = self.rows(WHAT, query).await?;
        read_all(&found, WHAT, |columns| {
            Ok((columns.text("cluster")?, columns.parsed("namespace")?))
        })
    }
}
