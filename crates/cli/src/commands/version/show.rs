use clap::Args;
use flumen_api_types::Version;
use flumen_model::FlinkVersion;

use super::{source, state_cell};
use crate::{Error, Table, commands::Context, text};

/// Show a Flink version
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen version show 1.20.5")]
pub struct Show {
    /// The Flink version, such as 1.20.5
    version: FlinkVersion,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let action = format!("show Flink {}", self.version);
        let path = ["versions", &self.version.to_string()];
        let version: Version = context.client.get(action, &path, &()).await?;
        if context.printer.is_json() {
            return context.printer.json(&version);
        }
        let mut table = Table::pairs();
        table.pair("version", version.version.to_string());
        table.pair("state", state_cell(&version));
        table.pair_if("reason", version.reason.clone());
        table.pair("source", source(&version));
        table.pair_if("base image", version.base_image.clone());
        table.pair("added", text::moment(version.added_at));
        context.printer.table(&table)
    }
}
