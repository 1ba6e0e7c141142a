use clap::Subcommand;
use flumen_api_types::Cluster;

use crate::{Cell, Error, Tone, commands::Context};

mod check;
mod list;
mod show;

pub(crate) use check::table;

/// Look at the Kubernetes clusters that Flumen deploys to
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen cluster list
  flumen cluster check local")]
pub enum Command {
    /// List clusters
    List(list::List),
    /// Show a cluster
    Show(show::Show),
    /// Check that a cluster can be reached and has what Flumen needs
    Check(check::CheckCluster),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Check(command) => command.run(context).await,
    }
}

fn state_cell(cluster: &Cluster) -> Cell {
    if cluster.reachable {
        Cell::new("reachable", Tone::Good)
    } else {
        Cell::new("unreachable", Tone::Bad)
    }
}
