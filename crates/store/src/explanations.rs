use flumen_model::{ClusterId, Namespace, TeamId, Uuid};
use jiff::Timestamp;

use crate::{Error, Store, rows::read_all};

/// A pod in which Flink explains a script. It is written down before the pod is created, and forgotten when that is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The name of the pod and of its ConfigMap.
    pub name: ClusterId,
    /// Whose it is.
    pub team: TeamId,
    /// The name of the token that asked.
    pub principal: String,
    /// The process that waits for it.
    pub server: Uuid,
    /// The Kubernetes cluster.
    pub cluster: String,
    /// The Kubernetes namespace.
    pub namespace: Namespace,
    /// The image, by digest.
    pub image: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When nobody waits for it any more.
    pub ends_at: Timestamp,
}

const WHAT: &str = "explanations";

impl Store {
    /// Writes an explanation down.
    pub async fn create_explanation(&self, explanation: &Explanation) -> Result<(), Error> {
        let statement = sqlx::query(
            "INSERT INTO explanations (name, team, principal, server, cluster, namespace, image, created_at, ends_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(explanation.name.to_string())
        .bind(explanation.team.to_string())
        .bind(&explanation.principal)
        .bind(explanation.server.to_string())
        .bind(&explanation.cluster)
        .bind(explanation.namespace.to_string())
        .bind(&explanation.image)
        .bind(explanation.created_at.as_millisecond())
        .bind(explanation.ends_at.as_millisecond());
        self.execute("store.create-explanation", WHAT, statement).await.map(drop)
    }

    /// Forgets an explanation of which nothing is left.
    pub async fn remove_explanation(&self, name: &ClusterId) -> Result<(), Error> {
        let statement =
            sqlx::query("DELETE FROM explanations WHERE name = $1").bind(name.to_string());
        self.execute("store.remove-explanation", WHAT, statement).await.map(drop)
    }

    /// All explanations of which something may be left, oldest first.
    pub async fn explanations(&self) -> Result<Vec<Explanation>, Error> {
        let query = sqlx::query("SELECT * FROM explanations ORDER BY created_at, name");
        let rows = self.rows(WHAT, query).await?;
        read_all(&rows, WHAT, |columns| {
            Ok(Explanation {
                name: columns.parsed("name")?,
                team: columns.parsed("team")?,
                principal: columns.text("principal")?,
                server: columns.parsed("server")?,
                cluster: columns.text("cluster")?,
                namespace: columns.parsed("namespace")?,
                image: columns.text("image")?,
                created_at: columns.time("created_at")?,
                ends_at: columns.time("ends_at")?,
            })
        })
    }
}
