use clap::Subcommand;
use flumen_api_types::OperationState;

use crate::{Cell, Error, Tone, commands::Context};

mod cancel;
mod list;
mod show;

/// Look at what was done to jobs, versions and projects, step by step
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen operation list --job word-count
  flumen operation show 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21")]
pub enum Command {
    /// List operations, newest first
    List(list::List),
    /// Show an operation with its steps
    Show(show::Show),
    /// Cancel an operation that still prepares its release, or that builds a project
    Cancel(cancel::Cancel),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Cancel(command) => command.run(context).await,
    }
}

/// The state of an operation, or of the build that it is.
pub(super) fn state_cell(state: OperationState) -> Cell {
    let tone = match state {
        OperationState::Running => Tone::Notice,
        OperationState::Succeeded => Tone::Good,
        OperationState::Failed => Tone::Bad,
        OperationState::Superseded | OperationState::Canceled => Tone::Plain,
    };
    Cell::new(state.as_str(), tone)
}
