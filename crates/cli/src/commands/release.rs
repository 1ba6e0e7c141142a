use clap::Subcommand;

use crate::{Error, commands::Context};

mod diff;
mod list;
mod prune;
mod removals;
mod sbom;
mod show;

/// Look at the releases of jobs
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen release list word-count
  flumen release show word-count 3
  flumen release diff word-count 2 3
  flumen release sbom word-count 3
  flumen release prune --dry-run

A release is a job file and its artifacts by content. To make an earlier one the
job again: flumen job rollback JOB --release NUMBER.")]
pub enum Command {
    /// List the releases of a job, newest first
    List(list::List),
    /// Show a release: its files and the rest of its job file
    Show(show::Show),
    /// Say where one release of a job differs from another
    Diff(diff::Diff),
    /// Print what a release is made of, as SPDX in JSON
    Sbom(sbom::Sbom),
    /// Remove releases that are more than jobs keep, and files and images that nothing needs
    Prune(prune::Prune),
    /// List what was removed because nothing needed it, newest first
    Removals(removals::Removals),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Diff(command) => command.run(context).await,
        Command::Sbom(command) => command.run(context).await,
        Command::Prune(command) => command.run(context).await,
        Command::Removals(command) => command.run(context).await,
    }
}
