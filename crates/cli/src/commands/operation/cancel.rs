use clap::Args;
use flumen_api_types::Operation;
use flumen_model::OperationId;
use reqwest::Method;

use crate::{Error, commands::Context, follow};

/// Cancel an operation that still prepares its release, or that builds a project
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen operation cancel 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21

A build leaves nothing in the cluster. A job whose release is prepared stays as it is; once the release is made, the operation is carried out on the job,
and flumen job cancel or flumen job stop ends that.")]
pub struct Cancel {
    /// Id of the operation
    id: OperationId,
}

impl Cancel {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let id = self.id.to_string();
        let action = format!("cancel the operation {id}");
        let path = ["operations", &id, "cancel"];
        let canceled: Operation =
            context.client.call(Method::POST, action, &path).idempotent().fetch().await?;
        if context.printer.is_json() {
            return context.printer.json(&canceled);
        }
        let what = super::super::capital(&follow::describe(&canceled));
        context.printer.line(format!("{what} is cancelled."))
    }
}
