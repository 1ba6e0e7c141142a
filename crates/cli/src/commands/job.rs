use clap::Subcommand;
use flumen_api_types::{JobReference, JobState, Operation, Outcome};
use reqwest::Method;
use serde::Serialize;

use crate::{
    Cell, Error, Tone,
    arguments::StartWaitArguments,
    commands::Context,
    follow::{self, Deadline},
    watch,
};

mod cancel;
mod delete;
mod history;
mod list;
mod logs;
mod restart;
mod rollback;
mod savepoint;
mod show;
mod start;
mod stop;
mod ui;

/// Look at jobs and operate them
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen job list
  flumen job show word-count
  flumen job stop word-count --wait
  flumen job start word-count --wait")]
pub enum Command {
    /// List jobs with their states
    List(list::List),
    /// Show a job: its state and why, its run, its newest snapshot, its operators
    Show(show::Show),
    /// Print the logs of a job, also after its pods are gone
    Logs(logs::Logs),
    /// Start a job that does not run
    Start(start::Start),
    /// Stop a job with a savepoint
    Stop(stop::Stop),
    /// Take a savepoint of a job that goes on
    Savepoint(savepoint::Savepoint),
    /// End the run of a job and start another, by default with its state
    Restart(restart::Restart),
    /// Make an earlier release the job again
    Rollback(rollback::Rollback),
    /// Cancel a job, without a savepoint
    Cancel(cancel::Cancel),
    /// Cancel a job if it runs, and remove it
    Delete(delete::Delete),
    /// Open Flink's web UI of a job
    Ui(ui::Ui),
    /// List the runs of a job with what they began from, or all that happened to it
    History(history::History),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Logs(command) => command.run(context).await,
        Command::Start(command) => command.run(context).await,
        Command::Stop(command) => command.run(context).await,
        Command::Savepoint(command) => command.run(context).await,
        Command::Restart(command) => command.run(context).await,
        Command::Rollback(command) => command.run(context).await,
        Command::Cancel(command) => command.run(context).await,
        Command::Delete(command) => command.run(context).await,
        Command::Ui(command) => command.run(context).await,
        Command::History(command) => command.run(context).await,
    }
}

/// The part of an address that names a job, and what follows it.
pub(super) fn path<'a>(job: &'a JobReference, rest: &[&'a str]) -> Vec<&'a str> {
    let mut path = vec!["environments", job.environment.as_str(), "jobs", job.name.as_str()];
    path.extend(rest);
    path
}

/// Asks the server to do something to a job.
async fn begin(
    context: &Context<'_>,
    job: &JobReference,
    verb: &str,
    body: &impl Serialize,
) -> Result<Operation, Error> {
    let action = match verb {
        "savepoint" => format!("take a savepoint of the job {job}"),
        _ => format!("{verb} the job {job}"),
    };
    context
        .client
        .call(Method::POST, action, &path(job, &[verb]))
        .json(body)
        .idempotent()
        .fetch()
        .await
}

/// Waits for a start where that was asked for, and says what came of it.
async fn finish_start(
    context: &Context<'_>,
    job: &JobReference,
    operation: Operation,
    wait: &StartWaitArguments,
) -> Result<(), Error> {
    let Some(until) = wait.wait else { return context.started(&operation) };
    let deadline = Deadline::after(wait.timeout);
    follow::operation(context, operation, deadline).await?;
    let seen = watch::until(context, job, until, deadline).await?;
    if context.printer.is_json() {
        return context.printer.json(&seen);
    }
    context.printer.line(watch::sentence(&seen))
}

/// The last part of a path, which tells snapshots apart.
fn last_part(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

fn state_cell(state: JobState) -> Cell {
    let tone = match state {
        JobState::Running | JobState::Finished => Tone::Good,
        JobState::Failed | JobState::EndedUnknown => Tone::Bad,
        JobState::New | JobState::Canceled | JobState::Stopped => Tone::Plain,
        JobState::Starting
        | JobState::Created
        | JobState::Restarting
        | JobState::Suspended
        | JobState::Canceling
        | JobState::Stopping
        | JobState::Ending
        | JobState::Deleting => Tone::Notice,
    };
    Cell::new(state.as_str(), tone)
}

fn outcome_cell(outcome: Option<Outcome>) -> Cell {
    let Some(outcome) = outcome else { return "".into() };
    let tone = match outcome {
        Outcome::Finished => Tone::Good,
        Outcome::Failed | Outcome::EndedUnknown => Tone::Bad,
        Outcome::Canceled | Outcome::Stopped => Tone::Plain,
    };
    Cell::new(outcome.as_str(), tone)
}
