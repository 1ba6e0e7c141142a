use clap::Args;
use serde_json::json;

use super::{begin, finish};
use crate::{
    Error,
    arguments::{JobArguments, WaitArguments},
    commands::Context,
};

/// Stop a job with a savepoint
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job stop word-count
  flumen job stop orders --environment prod --wait --timeout 2m")]
pub struct Stop {
    #[command(flatten)]
    job: JobArguments,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Stop {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let operation = begin(context, &job, "stop", &json!({})).await?;
        finish(context, operation, &self.wait, &format!("The job {job} is stopped.")).await
    }
}
