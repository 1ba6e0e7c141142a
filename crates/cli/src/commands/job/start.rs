use clap::Args;
use serde_json::json;

use super::begin;
use crate::{
    Error,
    arguments::{JobArguments, StartWaitArguments, Until},
    commands::Context,
    follow, watch,
};

/// Start a job that does not run
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job start word-count
  flumen job start word-count --wait --timeout 5m
  flumen job start word-count --wait=finished")]
pub struct Start {
    #[command(flatten)]
    job: JobArguments,

    #[command(flatten)]
    wait: StartWaitArguments,
}

impl Start {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let operation = begin(context, &job, "start", &json!({})).await?;
        let Some(until) = self.wait.wait else { return context.started(&operation) };
        follow::operation(context, operation, self.wait.timeout).await?;
        let ended = match until {
            Until::Started => watch::started(context, &job).await?,
            Until::Finished => watch::within(context, &job, self.wait.timeout).await?,
        };
        if context.printer.is_json() {
            return context.printer.json(&ended);
        }
        context.printer.line(format!("The job {job} is {}.", ended.state))
    }
}
