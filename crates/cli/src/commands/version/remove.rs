use clap::Args;
use flumen_api_types::VersionQuery;
use flumen_model::FlinkVersion;
use reqwest::Method;

use crate::{Error, arguments::EnvironmentArguments, commands::Context};

/// Take a Flink version away that no job uses
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen version remove 1.20.5")]
pub struct Remove {
    /// The Flink version, such as 1.20.5
    version: FlinkVersion,

    #[command(flatten)]
    environment: EnvironmentArguments,
}

impl Remove {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let version = self.version;
        let environment = context.environment(self.environment);
        let action = format!("remove Flink {version} from the environment {environment}");
        let path = ["versions", &version.to_string()];
        let query = VersionQuery { environment: Some(environment) };
        context.client.call(Method::DELETE, action, &path).query(&query).send().await?;
        if context.printer.is_json() {
            return Ok(());
        }
        context.printer.line(format!("Flink {version} is removed."))
    }
}
