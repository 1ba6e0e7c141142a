use clap::Args;
use flumen_api_types::Cluster;
use flumen_model::AccessKind;

use super::state_cell;
use crate::{Error, Table, commands::Context, text};

/// Show a cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster show local
  flumen cluster show eu-1 --output json

Tokens, passwords and keys are shown nowhere.")]
pub struct Show {
    /// Name of the cluster
    name: String,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let action = format!("show the cluster {}", self.name);
        let cluster: Cluster = context.client.get(action, &["clusters", &self.name], &()).await?;
        if context.printer.is_json() {
            return context.printer.json(&cluster);
        }
        let mut table = Table::pairs();
        table.pair("cluster", cluster.name.as_str());
        table.pair("state", state_cell(&cluster));
        table.pair_if("reason", cluster.reason.clone());
        table.pair_if("address", cluster.url.clone());
        table.pair_if("Kubernetes", cluster.kubernetes_version.clone());
        let access = match cluster.access {
            Some(AccessKind::Kubeconfig) => Some("kubeconfig that was given".to_owned()),
            Some(AccessKind::InCluster) => Some("account of the server's pod".to_owned()),
            Some(AccessKind::File) | None => Some(cluster.kubeconfig.clone()),
        };
        table.pair_if("access", access.filter(|access| !access.is_empty()));
        table.pair_if("context", cluster.context.clone());
        table.pair_if("credentials", cluster.credentials.map(|kind| kind.as_str().to_owned()));
        table.pair_if("account", cluster.account.clone());
        table.pair_if("good until", cluster.expires_at.map(text::moment));
        table.pair_if("on behalf of", cluster.acts_as.clone());
        table.pair_if("proxy", cluster.proxy.clone());
        let authority = match (cluster.insecure, cluster.private_authority) {
            (true, _) => Some("none: the certificate is not checked"),
            (false, true) => Some("the kubeconfig's own"),
            (false, false) => None,
        };
        table.pair_if("authority", authority.map(str::to_owned));
        let environments: Vec<_> = cluster.environments.iter().map(ToString::to_string).collect();
        table.pair_if("environments", (!environments.is_empty()).then(|| environments.join(", ")));
        table.pair_if("added", cluster.created_at.map(text::moment));
        context.printer.table(&table)
    }
}
