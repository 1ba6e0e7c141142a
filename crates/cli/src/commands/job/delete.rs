use clap::Args;
use reqwest::Method;

use super::path;
use crate::{
    Error,
    arguments::{JobArguments, WaitArguments},
    commands::Context,
};

/// Cancel a job if it runs, and remove it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job delete word-count
  flumen job delete orders --environment prod --wait --timeout 2m")]
pub struct Delete {
    #[command(flatten)]
    job: JobArguments,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Delete {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let operation = context
            .client
            .call(Method::DELETE, format!("delete the job {job}"), &path(&job, &[]))
            .idempotent()
            .fetch()
            .await?;
        context.finish(operation, &self.wait, |_| format!("The job {job} is deleted.")).await
    }
}
