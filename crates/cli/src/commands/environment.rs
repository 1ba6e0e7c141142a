use clap::Subcommand;
use flumen_api_types::{Environment, Storage};

use crate::{Error, commands::Context};

mod list;
mod show;

/// Look at the environments that jobs run in
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen environment list
  flumen environment show local")]
pub enum Command {
    /// List environments
    List(list::List),
    /// Show an environment
    Show(show::Show),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
    }
}

fn storage(environment: &Environment) -> String {
    match &environment.spec.storage {
        Storage::HostPath { host_path, .. } => host_path.clone(),
    }
}
