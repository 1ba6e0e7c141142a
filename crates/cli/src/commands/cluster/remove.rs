use clap::Args;
use flumen_model::ClusterName;
use reqwest::Method;
use serde_json::json;

use crate::{Error, commands::Context};

/// Forget a cluster that no environment is in
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster remove eu-1

Its credentials are deleted here. Nothing is done to the cluster itself.")]
pub struct Remove {
    /// Name of the cluster
    name: ClusterName,
}

impl Remove {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let action = format!("remove the cluster {}", self.name);
        let path = ["clusters", self.name.as_str()];
        context.client.call(Method::DELETE, action, &path).send().await?;
        if context.printer.is_json() {
            return context.printer.json(&json!({"removed": self.name}));
        }
        context.printer.line(format!("The cluster {} is removed.", self.name))
    }
}
