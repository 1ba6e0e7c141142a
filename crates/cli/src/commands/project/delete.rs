use clap::Args;
use flumen_model::ProjectName;
use reqwest::Method;
use serde_json::json;

use crate::{Error, commands::Context};

/// Forget a project and its builds; jobs keep the jars that they have
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen project delete orders")]
pub struct Delete {
    /// Name of the project
    name: ProjectName,
}

impl Delete {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let name = self.name.as_str();
        let action = format!("delete the project {name}");
        context.client.call(Method::DELETE, action, &["projects", name]).send().await?;
        if context.printer.is_json() {
            return context.printer.json(&json!({"deleted": name}));
        }
        context.printer.line(format!("The project {name} is deleted."))
    }
}
