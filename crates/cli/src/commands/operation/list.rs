use clap::Args;
use flumen_api_types::{Operation, OperationsQuery, Page};

use super::state_cell;
use crate::{Error, Table, arguments::ListArguments, commands::Context, text};

/// List operations, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen operation list
  flumen operation list --environment local --job word-count")]
pub struct List {
    #[command(flatten)]
    list: ListArguments,
}

impl List {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let query = OperationsQuery {
            environment: context.listed(&self.list),
            job: self.list.job,
            limit: Some(self.list.limit),
            cursor: None,
        };
        let page: Page<Operation> =
            context.client.get("list operations", &["operations"], &query).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        let now = (context.now)();
        let mut table = Table::new(&["ID", "WHAT", "ON", "STATE", "BEGAN", "TOOK"]);
        for operation in &page.items {
            let job = operation.job.as_ref().map(ToString::to_string);
            let version = operation.version.map(|version| format!("Flink {version}"));
            let project = operation.project.as_ref().map(|name| format!("project {name}"));
            let took = text::between(operation.created_at, operation.finished_at.unwrap_or(now));
            table.row(vec![
                operation.id.to_string().into(),
                operation.kind.as_str().into(),
                job.or(version).or(project).unwrap_or_default().into(),
                state_cell(operation.state),
                text::moment(operation.created_at).into(),
                text::duration(took).into(),
            ]);
        }
        context.printer.table(&table)
    }
}
