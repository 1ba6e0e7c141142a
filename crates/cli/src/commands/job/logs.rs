use clap::Args;
use flumen_api_types::{JobReference, LogsQuery, Page, PageQuery, Run};
use flumen_model::RunId;
use reqwest::Method;

use super::path;
use crate::{
    Error,
    arguments::JobArguments,
    commands::{Context, log},
};

/// Print the logs of a job, also after its pods are gone
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job logs word-count
  flumen job logs word-count --container taskmanager --tail 100
  flumen job logs word-count --follow
  flumen job logs word-count --run 3
  flumen job logs word-count --tail 100 --output json

With --output json the log is one value, {\"text\": \"...\"}, and cannot be followed.")]
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
        log::check_follow(context, self.follow)?;
        let job = context.job(self.job);
        let action = format!("print the logs of the job {job}");
        let run = match &self.run {
            None => None,
            Some(text) => Some(find(context, &job, &action, text).await?),
        };
        let query = LogsQuery {
            run,
            container: Some(self.container),
            follow: self.follow,
            tail: self.tail,
        };
        let path = path(&job, &["logs"]);
        let call = context.client.call(Method::GET, &action, &path).query(&query);
        log::print(context, call, &action).await
    }
}

/// The run of a job that a number or an id names.
async fn find(
    context: &Context<'_>,
    job: &JobReference,
    action: &str,
    text: &str,
) -> Result<RunId, Error> {
    let no_run = || Error::NoRun { job: job.to_string(), run: text.to_owned() };
    // An id may be made of digits alone.
    let number = text.parse::<u64>().ok().filter(|_| text.len() < 32);
    let Some(number) = number else { return text.parse().map_err(|_| no_run()) };
    let mut query = PageQuery { limit: Some(500), cursor: None };
    loop {
        let runs: Page<Run> = context.client.get(action, &path(job, &["runs"]), &query).await?;
        if let Some(run) = runs.items.iter().find(|run| run.number == number) {
            return Ok(run.id);
        }
        query.cursor = Some(runs.next_cursor.ok_or_else(no_run)?);
    }
}
