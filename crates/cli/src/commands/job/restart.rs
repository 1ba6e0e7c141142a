use clap::Args;
use flumen_api_types::RestartJob;
use flumen_model::UpgradeMode;

use super::{begin, finish_start};
use crate::{
    Error,
    arguments::{JobArguments, SavepointArguments, StartArguments, StartWaitArguments, words},
    commands::Context,
};

/// End the run of a job and start another, by default with its state
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job restart word-count --wait --timeout 5m
  flumen job restart orders --mode last-state
  flumen job restart orders --mode stateless
  flumen job restart orders --from s3://bucket/savepoint-1 --wait

stateful stops the job with a savepoint and starts it from there, last-state
cancels it and starts it from its newest checkpoint, stateless cancels it and
starts it with empty state. With --from and without --mode no savepoint is taken
before. A job that does not run is started.")]
pub struct Restart {
    #[command(flatten)]
    job: JobArguments,

    /// What becomes of the state of the job [default: its upgradeMode]
    #[arg(long, value_parser = words::<UpgradeMode>(&["stateful", "last-state", "stateless"]))]
    mode: Option<UpgradeMode>,

    #[command(flatten)]
    source: StartArguments,

    #[command(flatten)]
    options: SavepointArguments,

    #[command(flatten)]
    wait: StartWaitArguments,
}

impl Restart {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let order = RestartJob {
            mode: self.mode,
            from: self.source.from,
            allow_non_restored_state: self.source.allow_non_restored,
            restore_mode: self.source.restore_mode,
            savepoint_path: self.options.savepoint_path,
            format: self.options.format,
        };
        let operation = begin(context, &job, "restart", &order).await?;
        finish_start(context, &job, operation, &self.wait).await
    }
}
