use clap::Args;
use flumen_api_types::{Operation, StopJob};

use super::begin;
use crate::{
    Error,
    arguments::{JobArguments, SavepointArguments, WaitArguments},
    commands::Context,
};

/// Stop a job with a savepoint
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job stop word-count --wait --timeout 5m
  flumen job stop word-count --drain
  flumen job stop orders --savepoint-path s3://bucket/savepoints --format native

A stop whose savepoint fails leaves the job as it was: running.
flumen job start NAME starts a stopped job again from its savepoint.")]
pub struct Stop {
    #[command(flatten)]
    job: JobArguments,

    /// Let the sources end as if their input were over, so that windows fire
    #[arg(long)]
    drain: bool,

    #[command(flatten)]
    options: SavepointArguments,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Stop {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let order = StopJob {
            drain: self.drain,
            savepoint_path: self.options.savepoint_path,
            format: self.options.format,
        };
        let operation = begin(context, &job, "stop", &order).await?;
        let done = |operation: &Operation| match &operation.savepoint {
            Some(path) => format!("The job {job} is stopped; its savepoint: {path}"),
            None => format!("The job {job} is stopped."),
        };
        context.finish(operation, &self.wait, done).await
    }
}
