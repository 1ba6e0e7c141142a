use clap::Args;
use flumen_api_types::StartJob;

use super::{begin, finish_start};
use crate::{
    Error,
    arguments::{JobArguments, StartArguments, StartWaitArguments},
    commands::Context,
};

/// Start a job that does not run
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job start word-count
  flumen job start word-count --wait --timeout 5m
  flumen job start word-count --wait=finished
  flumen job start orders --from nothing
  flumen job start orders --from 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21 --wait
  flumen job start orders --from s3://bucket/savepoint-1 --restore-mode claim

Without --from a job starts from its newest snapshot if it has one, and with
empty state if not, or if its upgradeMode is stateless.
flumen snapshot list --job NAME lists its snapshots.")]
pub struct Start {
    #[command(flatten)]
    job: JobArguments,

    #[command(flatten)]
    source: StartArguments,

    #[command(flatten)]
    wait: StartWaitArguments,
}

impl Start {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let order = StartJob {
            from: self.source.from,
            allow_non_restored_state: self.source.allow_non_restored,
            restore_mode: self.source.restore_mode,
        };
        let operation = begin(context, &job, "start", &order).await?;
        finish_start(context, &job, operation, &self.wait).await
    }
}
