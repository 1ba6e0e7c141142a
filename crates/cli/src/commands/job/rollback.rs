use clap::Args;
use flumen_api_types::{Applied, RollBackJob};
use reqwest::Method;

use super::path;
use crate::{
    Error,
    arguments::{JobArguments, StartWaitArguments},
    commands::{Context, apply},
    follow::Deadline,
};

/// Make an earlier release the job again
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job rollback word-count --release 2 --wait
  flumen job rollback orders --release 7 --force
  flumen job rollback orders --release 7 --no-start

It is as if the job file of that release was applied once more, with the policies
that the job has now. What it changes is said by flumen release diff JOB
PRESENT EARLIER.")]
pub struct Rollback {
    #[command(flatten)]
    job: JobArguments,

    /// Number of the release, as flumen release list shows it
    #[arg(long, value_name = "NUMBER")]
    release: u64,

    /// Only change the definition; do not start or restart the job
    #[arg(long)]
    no_start: bool,

    /// Carry it out although it puts the state of the job at risk
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    wait: StartWaitArguments,
}

impl Rollback {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let order = RollBackJob { release: self.release, start: !self.no_start, force: self.force };
        let action = format!("go back to release {} of the job {job}", self.release);
        let mut applied: Applied = context
            .client
            .call(Method::POST, action, &path(&job, &["rollback"]))
            .json(&order)
            .idempotent()
            .fetch()
            .await?;
        if !context.printer.is_json() {
            context.printer.line(apply::sentence(&applied, self.wait.wait.is_some()))?;
        }
        if let Some(until) = self.wait.wait {
            let deadline = Deadline::after(self.wait.timeout);
            apply::wait(context, (&mut applied, 0), until, deadline).await?;
        }
        if context.printer.is_json() { context.printer.json(&applied) } else { Ok(()) }
    }
}
