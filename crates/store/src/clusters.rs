use flumen_model::TeamId;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store,
    rows::{json, read_all},
};

/// A Kubernetes cluster that Flumen deploys to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its name; `local` is the local cluster.
    pub name: String,
    /// The kubeconfig file on the server's machine.
    pub kubeconfig: String,
    /// The context in it. Default: its current one.
    pub context: Option<String>,
}

const WHAT: &str = "clusters";

impl Store {
    /// Creates or replaces a cluster.
    pub async fn save_cluster(&self, team: TeamId, cluster: &Cluster) -> Result<(), Error> {
        let statement = sqlx::query(
            "INSERT INTO clusters (name, team, document) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET document = excluded.document",
        )
        .bind(&cluster.name)
        .bind(team.to_string())
        .bind(json(cluster));
        self.execute("store.save-cluster", WHAT, statement).await.map(drop)
    }

    /// All clusters by name.
    pub async fn clusters(&self) -> Result<Vec<Cluster>, Error> {
        let query = sqlx::query("SELECT document FROM clusters ORDER BY name");
        let found = self.rows(WHAT, query).await?;
        read_all(&found, WHAT, |columns| columns.json("document"))
    }
}
