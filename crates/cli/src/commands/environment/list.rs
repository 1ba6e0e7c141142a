use clap::Args;
use flumen_api_types::{Environment, Page};

use super::storage;
use crate::{Error, Table, commands::Context};

/// List environments
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen environment list")]
pub struct List {}

impl List {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let page: Page<Environment> =
            context.client.get("list environments", &["environments"], &[("limit", 500)]).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        let mut table = Table::new(&["NAME", "CLUSTER", "NAMESPACE", "REGISTRY", "STORAGE"]);
        for environment in &page.items {
            table.row(vec![
                environment.name.as_str().into(),
                environment.spec.cluster.as_str().into(),
                environment.spec.namespace.as_str().into(),
                environment.spec.registry.as_str().into(),
                storage(environment).into(),
            ]);
        }
        context.printer.table(&table)
    }
}
