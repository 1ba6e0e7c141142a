use clap::Args;
use flumen_api_types::{Page, Snapshot, SnapshotsQuery};
use jiff::Timestamp;

use crate::{Error, Table, arguments::ListArguments, commands::Context, text};

/// List snapshots, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen snapshot list
  flumen snapshot list --job word-count
  flumen snapshot list --environment prod --job orders --limit 500 --output json

Checkpoints are listed while Flink keeps them, savepoints also after their job
is deleted.")]
pub struct List {
    #[command(flatten)]
    list: ListArguments,
}

impl List {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let query = SnapshotsQuery {
            environment: context.listed(&self.list),
            job: self.list.job,
            limit: Some(self.list.limit),
            cursor: None,
        };
        let page: Page<Snapshot> =
            context.client.get("list snapshots", &["snapshots"], &query).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        if page.items.is_empty() {
            context.printer.note("There are no such snapshots.");
            return Ok(());
        }
        context.printer.table(&table(&page.items, query.environment.is_some(), (context.now)()))
    }
}

/// The environment is said with each job unless all are of the one that was asked for.
fn table(snapshots: &[Snapshot], of_one_environment: bool, now: Timestamp) -> Table {
    let mut table = Table::new(&["ID", "KIND", "SIZE", "AGE", "JOB"]);
    for snapshot in snapshots {
        let job = &snapshot.job;
        let job = if of_one_environment { job.name.to_string() } else { job.to_string() };
        table.row(vec![
            snapshot.id.to_string().into(),
            snapshot.kind.as_str().into(),
            snapshot.size_bytes.map(text::bytes).unwrap_or_default().into(),
            text::age(snapshot.completed_at, now).into(),
            job.into(),
        ]);
    }
    table
}
