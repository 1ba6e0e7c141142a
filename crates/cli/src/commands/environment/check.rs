use clap::Args;
use flumen_api_types::{CheckOutcome, EnvironmentCheck};
use flumen_model::EnvironmentName;
use reqwest::Method;

use crate::{
    Error,
    commands::{Context, cluster::table},
};

/// Check that the storage of an environment can be used
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen environment check prod
  flumen environment check prod --output json

The server writes, lists, reads and deletes a probe in the storage, and looks for the plugin that
each Flink version of the environment needs for it. The exit status is 1 if a check fails.")]
pub struct CheckEnvironment {
    /// Name of the environment
    name: EnvironmentName,
}

impl CheckEnvironment {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let name = &self.name;
        let path = ["environments", name.as_str(), "check"];
        let action = format!("check the environment {name}");
        let check: EnvironmentCheck =
            context.client.call(Method::POST, action, &path).fetch().await?;
        if context.printer.is_json() {
            context.printer.json(&check)?;
        } else {
            context.printer.table(&table(&check.checks))?;
        }
        let failed =
            check.checks.iter().filter(|check| check.outcome == CheckOutcome::Fail).count();
        if failed == 0 {
            return Ok(());
        }
        let what = format!("the environment {name}");
        Err(Error::Checks { what, failed, all: check.checks.len() })
    }
}
