use clap::Args;
use flumen_api_types::{Page, Version};

use crate::{Error, Table, commands::Context, text};

/// List the Flink versions that jobs may use
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen version list
  flumen version list --output json")]
pub struct List {}

impl List {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let page: Page<Version> =
            context.client.get("list Flink versions", &["versions"], &[("limit", 500)]).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        if page.items.is_empty() {
            context.printer.note(
                "There is no Flink version yet. Add one with: flumen version add 1.20.5 --wait",
            );
            return Ok(());
        }
        let mut table = Table::new(&["VERSION", "ENVIRONMENT", "ADDED", "SOURCE"]);
        for version in &page.items {
            table.row(vec![
                version.version.to_string().into(),
                version.environment.as_str().into(),
                text::moment(version.added_at).into(),
                version.source.as_str().into(),
            ]);
        }
        context.printer.table(&table)
    }
}
