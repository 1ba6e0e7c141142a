use clap::Subcommand;

use crate::{Error, commands::Context};

mod list;
mod show;

/// Look at savepoints and checkpoints
#[derive(Debug, Subcommand)]
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
