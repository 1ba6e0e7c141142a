use clap::Subcommand;

use crate::{Error, commands::Context};

mod add;
mod list;
mod remove;
mod show;

/// Make Flink versions available
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen version add 1.20.5 --wait
  flumen version list
  flumen version remove 1.20.5")]
pub enum Command {
    /// List the Flink versions that jobs may use
    List(list::List),
    /// Show a Flink version
    Show(show::Show),
    /// Make a Flink version available to jobs
    Add(add::Add),
    /// Take a Flink version away that no job uses
    Remove(remove::Remove),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Add(command) => command.run(context).await,
        Command::Remove(command) => command.run(context).await,
    }
}
