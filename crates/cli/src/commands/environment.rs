use clap::Subcommand;
use flumen_api_types::{Environment, Storage};

use crate::{Error, commands::Context};

mod apply;
mod check;
mod list;
mod show;

/// Look at the environments that jobs run in, change and check them
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen environment list
  flumen environment show local
  flumen environment apply -f prod.yaml
  flumen environment check prod")]
pub enum Command {
    /// List environments
    List(list::List),
    /// Show an environment
    Show(show::Show),
    /// Create or change an environment as its file says
    Apply(apply::Apply),
    /// Check that the storage of an environment can be used
    Check(check::CheckEnvironment),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Apply(command) => command.run(context).await,
        Command::Check(command) => command.run(context).await,
    }
}

fn storage(environment: &Environment) -> String {
    match &environment.spec.storage {
        Storage::HostPath { host_path, .. } => host_path.clone(),
        Storage::File(storage) => storage.place.to_string(),
        Storage::S3(storage) => storage.place.to_string(),
        Storage::Oss(storage) => storage.place.to_string(),
        Storage::Hdfs(storage) => storage.place.to_string(),
    }
}
