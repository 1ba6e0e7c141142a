use clap::Args;
use flumen_model::FlinkVersion;
use reqwest::Method;

use super::finish;
use crate::{Error, arguments::WaitArguments, commands::Context};

/// Take a Flink version away that no job uses
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen version remove 1.20.5")]
pub struct Remove {
    /// The Flink version, such as 1.20.5
    version: FlinkVersion,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Remove {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let version = self.version;
        let operation = context
            .client
            .call(
                Method::DELETE,
                format!("remove Flink {version}"),
                &["versions", &version.to_string()],
            )
            .idempotent()
            .fetch()
            .await?;
        finish(context, operation, &self.wait, &format!("Flink {version} is removed.")).await
    }
}
