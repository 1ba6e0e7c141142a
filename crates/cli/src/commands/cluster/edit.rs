use clap::Args;
use flumen_api_types::Cluster;
use flumen_model::ClusterName;
use reqwest::Method;

use super::{
    add::report,
    source::{Source, SourceArguments},
};
use crate::{Error, commands::Context};

/// Change how a cluster is reached
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster edit eu-1 --kubeconfig eu-1.kubeconfig
  flumen cluster edit eu-1 --in-cluster

It replaces what was given before, for example credentials that end. Jobs in the cluster
run on.")]
pub struct Edit {
    /// Name of the cluster
    name: ClusterName,

    #[command(flatten)]
    source: SourceArguments,
}

impl Edit {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let Source { body, notes } = self.source.read((context.now)())?;
        let action = format!("change the cluster {}", self.name);
        let path = ["clusters", self.name.as_str()];
        let call = context.client.call(Method::PUT, action, &path);
        let saved: Cluster = call.json(&body).fetch().await?;
        report(context, &saved, "changed", &notes)
    }
}
