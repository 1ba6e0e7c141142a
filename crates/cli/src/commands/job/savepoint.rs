use clap::Args;
use flumen_api_types::{Operation, TakeSavepoint};

use super::begin;
use crate::{
    Error,
    arguments::{JobArguments, SavepointArguments, WaitArguments},
    commands::Context,
};

/// Take a savepoint of a job that goes on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job savepoint word-count --wait --timeout 5m
  flumen job savepoint orders --savepoint-path s3://bucket/savepoints

flumen snapshot list --job NAME lists the savepoints and checkpoints of a job.")]
pub struct Savepoint {
    #[command(flatten)]
    job: JobArguments,

    #[command(flatten)]
    options: SavepointArguments,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Savepoint {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let order = TakeSavepoint {
            savepoint_path: self.options.savepoint_path,
            format: self.options.format,
        };
        let operation = begin(context, &job, "savepoint", &order).await?;
        let done = |operation: &Operation| match &operation.savepoint {
            Some(path) => format!("The savepoint of the job {job}: {path}"),
            None => format!("The savepoint of the job {job} is taken."),
        };
        context.finish(operation, &self.wait, done).await
    }
}
