use clap::Args;
use flumen_api_types::{Cluster, Page};

use super::state_cell;
use crate::{Error, Table, commands::Context};

/// List clusters
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster list")]
pub struct List {}

impl List {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let page: Page<Cluster> =
            context.client.get("list clusters", &["clusters"], &[("limit", 500)]).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        let mut table = Table::new(&["NAME", "STATE", "KUBERNETES", "ADDRESS", "REASON"]);
        for cluster in &page.items {
            table.row(vec![
                cluster.name.as_str().into(),
                state_cell(cluster),
                cluster.kubernetes_version.clone().unwrap_or_default().into(),
                cluster.url.clone().unwrap_or_default().into(),
                cluster.reason.clone().unwrap_or_default().into(),
            ]);
        }
        context.printer.table(&table)
    }
}
