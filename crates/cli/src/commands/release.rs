use clap::Subcommand;

use crate::{Error, commands::Context};

mod diff;
mod list;
mod show;

/// Look at the releases of jobs
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen release list word-count
  flumen release show word-count 3
  flumen release diff word-count 2 3

A release is a job file and its artifacts by content. To make an earlier one the
job again: flumen job rollback JOB --release NUMBER.")]
pub enum Command {
    /// List the releases of a job, newest first
    List(list::List),
    /// Show a release: its files and the rest of its job file
    Show(show::Show),
    /// Say where one release of a job differs from another
    Diff(diff::Diff),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Diff(command) => command.run(context).await,
    }
}
