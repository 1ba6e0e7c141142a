use clap::Args;
use serde_json::json;

use super::{begin, finish};
use crate::{
    Error,
    arguments::{JobArguments, WaitArguments},
    commands::Context,
};

/// Stop a job with a savepoint and start it from there
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job restart word-count
  flumen job restart orders --environment prod --wait --timeout 2m")]
pub struct Restart {
    #[command(flatten)]
    job: JobArguments,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Restart {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let operation = begin(context, &job, "restart", &json!({})).await?;
        finish(context, operation, &self.wait, &format!("The job {job} is restarted.")).await
    }
}
