use clap::Args;
use serde_json::json;

use super::begin;
use crate::{
    Error,
    arguments::{JobArguments, WaitArguments},
    commands::Context,
};

/// Cancel a job, without a savepoint
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job cancel word-count
  flumen job cancel orders --environment prod --wait --timeout 2m")]
pub struct Cancel {
    #[command(flatten)]
    job: JobArguments,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Cancel {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let operation = begin(context, &job, "cancel", &json!({})).await?;
        context.finish(operation, &self.wait, |_| format!("The job {job} is cancelled.")).await
    }
}
