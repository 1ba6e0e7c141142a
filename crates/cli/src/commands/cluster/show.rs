use clap::Args;
use flumen_api_types::Cluster;

use super::state_cell;
use crate::{Error, Table, commands::Context};

/// Show a cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster show local")]
pub struct Show {
    /// Name of the cluster
    name: String,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let action = format!("show the cluster {}", self.name);
        let cluster: Cluster = context.client.get(action, &["clusters", &self.name], &()).await?;
        if context.printer.is_json() {
            return context.printer.json(&cluster);
        }
        let mut table = Table::pairs();
        table.pair("cluster", cluster.name.as_str());
        table.pair("state", state_cell(&cluster));
        table.pair_if("reason", cluster.reason.clone());
        table.pair_if("address", cluster.url.clone());
        table.pair("kubeconfig", cluster.kubeconfig.as_str());
        table.pair_if("Kubernetes", cluster.kubernetes_version.clone());
        context.printer.table(&table)
    }
}
