use std::time::Duration;

use clap::Args;
use flumen_api_types::Snapshot;
use flumen_model::SnapshotId;

use crate::{Error, Table, commands::Context, text};

/// Show a snapshot
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen snapshot show 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21
  flumen snapshot show 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21 --output json")]
pub struct Show {
    /// Id of the snapshot
    id: SnapshotId,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let id = self.id.to_string();
        let action = format!("show the snapshot {id}");
        let snapshot: Snapshot = context.client.get(action, &["snapshots", &id], &()).await?;
        if context.printer.is_json() {
            return context.printer.json(&snapshot);
        }
        context.printer.table(&summary(&snapshot))
    }
}

fn summary(snapshot: &Snapshot) -> Table {
    let mut table = Table::pairs();
    table.pair("snapshot", snapshot.id.to_string());
    table.pair("kind", snapshot.kind.as_str());
    table.pair("cause", snapshot.cause.as_str());
    table.pair("job", snapshot.job.to_string());
    table.pair("run", snapshot.run.to_string());
    table.pair_if("operation", snapshot.operation.map(|operation| operation.to_string()));
    table.pair_if("number", snapshot.number.map(|number| number.to_string()));
    table.pair_if("format", snapshot.format.clone());
    table.pair("path", snapshot.path.clone());
    table.pair_if("size", snapshot.size_bytes.map(text::bytes));
    let took = snapshot.duration_ms.map(Duration::from_millis);
    table.pair_if("took", took.map(text::duration));
    table.pair_if("begun", snapshot.triggered_at.map(text::moment));
    table.pair("completed", text::moment(snapshot.completed_at));
    table
}
