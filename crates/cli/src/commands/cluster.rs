use clap::Subcommand;
use flumen_api_types::Cluster;

use crate::{Cell, Error, Tone, commands::Context};

mod add;
mod check;
mod edit;
mod list;
mod rbac;
mod remove;
mod show;
mod source;

pub(crate) use check::table;

/// Name the Kubernetes clusters that Flumen deploys to, and check them
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen cluster add eu-1 --kubeconfig ~/.kube/config --context eu-1
  flumen cluster rbac eu-1 --namespace flink | kubectl apply -f -
  flumen cluster check eu-1 --namespace flink
  flumen cluster list")]
pub enum Command {
    /// List clusters
    List(list::List),
    /// Show a cluster
    Show(show::Show),
    /// Take a cluster in, by a kubeconfig or by the account of the server's pod
    Add(add::Add),
    /// Change how a cluster is reached
    Edit(edit::Edit),
    /// Forget a cluster that no environment is in
    Remove(remove::Remove),
    /// Check that a cluster can be reached and has what Flumen and Flink need
    Check(check::CheckCluster),
    /// Print the manifest that gives Flumen and Flink the rights that they need, and no others
    Rbac(rbac::Rbac),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Add(command) => command.run(context).await,
        Command::Edit(command) => command.run(context).await,
        Command::Remove(command) => command.run(context).await,
        Command::Check(command) => command.run(context).await,
        Command::Rbac(command) => command.run(context).await,
    }
}

fn state_cell(cluster: &Cluster) -> Cell {
    if cluster.reachable {
        Cell::new("reachable", Tone::Good)
    } else {
        Cell::new("unreachable", Tone::Bad)
    }
}
