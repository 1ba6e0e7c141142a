use clap::Args;
use flumen_api_types::{AddCluster, Cluster};
use flumen_model::ClusterName;
use reqwest::Method;

use super::source::{Source, SourceArguments};
use crate::{Error, commands::Context};

/// Take a cluster in, by a kubeconfig or by the account of the server's pod
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster add eu-1 --kubeconfig ~/.kube/config --context eu-1
  flumen cluster add here --in-cluster

Of the kubeconfig one context is sent, with what the files in it hold (certificates,
keys, a token), so that the server may be on another machine. The server encrypts it and
shows it to nobody. A command that makes credentials (exec) is run by the server, if its
setting cluster-commands allows it.

Environments name the cluster: `cluster: eu-1`. See what it lacks with:
  flumen cluster check eu-1")]
pub struct Add {
    /// Name of the cluster, as environments name it
    name: ClusterName,

    #[command(flatten)]
    source: SourceArguments,
}

impl Add {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let Source { body, notes } = self.source.read((context.now)())?;
        let action = format!("add the cluster {}", self.name);
        let call = context.client.call(Method::POST, action, &["clusters"]);
        let added: Cluster = call.json(&AddCluster::new(self.name, body)).fetch().await?;
        report(context, &added, "added", &notes)
    }
}

/// Says how a cluster is reached now, and whether it answers.
pub(super) fn report(
    context: &Context<'_>,
    cluster: &Cluster,
    done: &str,
    notes: &[String],
) -> Result<(), Error> {
    for note in notes {
        context.printer.note(note);
    }
    if context.printer.is_json() {
        return context.printer.json(cluster);
    }
    let name = &cluster.name;
    let place = cluster.url.as_ref().map(|url| format!(" at {url}")).unwrap_or_default();
    let seen = match (&cluster.kubernetes_version, &cluster.reason) {
        (Some(version), _) => format!("It answers as Kubernetes {version}{place}."),
        (None, Some(reason)) => format!("It cannot be used{place}: {reason}."),
        (None, None) => format!("It cannot be used{place}."),
    };
    context.printer.line(format!("The cluster {name} is {done}. {seen}"))?;
    context.printer.line(format!("See what it lacks with: flumen cluster check {name}"))
}
