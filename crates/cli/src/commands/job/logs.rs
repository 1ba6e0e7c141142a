use clap::Args;
use flumen_api_types::{LogsQuery, Page, Run};
use flumen_model::RunId;
use futures::StreamExt as _;
use reqwest::Method;

use super::path;
use crate::{Error, arguments::JobArguments, commands::Context};

/// Print the logs of a job, also after its pods are gone
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job logs word-count
  flumen job logs word-count --container taskmanager --tail 100
  flumen job logs word-count --follow
  flumen job logs word-count --run 3")]
pub struct Logs {
    #[command(flatten)]
    job: JobArguments,

    /// jobmanager, taskmanager (all of them) or the name of a pod
    #[arg(long, short, default_value = "jobmanager")]
    container: String,

    /// Number or id of the run [default: the present or last one]
    #[arg(long, short)]
    run: Option<String>,

    /// Print new lines as they come
    #[arg(long)]
    follow: bool,

    /// Print only this many of the last lines
    #[arg(long, value_name = "LINES")]
    tail: Option<u64>,
}

impl Logs {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let action = format!("print the logs of the job {job}");
        let run = match self.run.as_deref() {
            None => None,
            Some(text) => Some(match text.parse::<u64>() {
                Ok(number) if text.len() < 32 => {
                    let runs: Page<Run> = context
                        .client
                        .get(&action, &path(&job, &["runs"]), &[("limit", 500)])
                        .await?;
                    find(&runs, number).ok_or_else(|| Error::NoRun {
                        job: job.to_string(),
                        run: text.to_owned(),
                    })?
                }
                _ => text
                    .parse::<RunId>()
                    .map_err(|_| Error::NoRun { job: job.to_string(), run: text.to_owned() })?,
            }),
        };
        let query = LogsQuery {
            run,
            container: Some(self.container),
            follow: self.follow,
            tail: self.tail,
        };
        let response = context
            .client
            .call(Method::GET, &action, &path(&job, &["logs"]))
            .query(&query)
            .send()
            .await?;
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|source| Error::Stream { action: action.clone(), source })?;
            context.printer.bytes(&chunk)?;
        }
        Ok(())
    }
}

fn find(runs: &Page<Run>, number: u64) -> Option<RunId> {
    runs.items.iter().find(|run| run.number == number).map(|run| run.id)
}
