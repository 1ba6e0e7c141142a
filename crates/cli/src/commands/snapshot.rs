use clap::Subcommand;

use crate::{Error, commands::Context};

mod list;
mod show;

/// Look at savepoints and checkpoints
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen snapshot list --job word-count
  flumen snapshot show 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21")]
pub enum Command {
    /// List snapshots, newest first
    List(list::List),
    /// Show a snapshot
    Show(show::Show),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
    }
}
