use clap::Args;
use flumen_api_types::{Cluster, ClusterNeeds, NamespaceNeeds};
use flumen_cluster::manifest::{self, Account, Place};
use flumen_model::{ClusterName, Namespace};

use crate::{Error, Printer, commands::Context};

/// Print the manifest that gives Flumen and Flink the rights that they need, and no others
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster rbac eu-1 | kubectl apply -f -
  flumen cluster rbac eu-1 --namespace flink --service-account flink | kubectl apply -f -
  flumen cluster rbac --namespace flink --account platform/flumen
  flumen cluster rbac --namespace flink --user flumen@example.com --output json

Namespaces and Flink's service accounts are those of the environments in the cluster and
of their jobs, and those that are named; without a cluster only the latter, and no server
is asked about it. Rights are given by a Role in each namespace: nothing is given in the
whole cluster. Whoever applies it must have those rights.")]
pub struct Rbac {
    /// Name of the cluster [default: none, with --namespace]
    #[arg(required_unless_present = "namespaces")]
    name: Option<ClusterName>,

    /// Namespace for jobs; may be given several times
    #[arg(long = "namespace", value_name = "NAMESPACE")]
    namespaces: Vec<Namespace>,

    /// Service account of Flink's pods in the namespaces that are named; may be given several times
    /// [default: default]
    #[arg(long = "service-account", value_name = "NAME", requires = "namespaces")]
    service_accounts: Vec<String>,

    /// Give Flink what it needs with the network of the host, in the namespaces that are named
    #[arg(long, requires = "namespaces")]
    host_network: bool,

    /// Service account that Flumen runs under, which is made too [default: whom the credentials of the
    /// cluster name, else flumen/flumen]
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = service_account, conflicts_with_all = ["user", "group"])]
    account: Option<(Namespace, String)>,

    /// User that the API server takes Flumen for, instead of a service account
    #[arg(long, value_name = "NAME", conflicts_with = "group")]
    user: Option<String>,

    /// Group of users that the API server takes Flumen for
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
}

async fn needs_of(
    cluster: &ClusterName,
    context: &Context<'_>,
) -> Result<Vec<NamespaceNeeds>, Error> {
    let action = format!("look what is needed in the cluster {cluster}");
    let path = ["clusters", cluster.as_str(), "needs"];
    let needs: ClusterNeeds = context.client.get(action, &path, &()).await?;
    Ok(needs.namespaces)
}

/// The one that the documentation makes.
fn usual_account() -> Account {
    Account::Service {
        namespace: "flumen".parse().expect("a namespace may be called so"),
        name: "flumen".to_owned(),
    }
}

fn service_account(text: &str) -> Result<(Namespace, String), String> {
    let expected = || "expected NAMESPACE/NAME, such as flumen/flumen".to_owned();
    let (namespace, name) = text.split_once('/').ok_or_else(expected)?;
    let namespace = namespace.parse().map_err(|_| expected())?;
    if name.is_empty() || name.contains('/') {
        return Err(expected());
    }
    Ok((namespace, name.to_owned()))
}

impl Rbac {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let Some(name) = &self.name else {
            return self.print_offline(&context.printer);
        };
        let inside = needs_of(name, context).await?;
        if inside.is_empty() && self.namespaces.is_empty() {
            return Err(Error::NoNamespace { cluster: name.to_string() });
        }
        let account = match self.named() {
            Some(account) => account,
            None => self.of_cluster(name, context).await?,
        };
        self.print(&context.printer, &account, &inside)
    }

    /// Whether it can be printed without asking a server.
    pub(crate) const fn needs_no_server(&self) -> bool {
        self.name.is_none()
    }

    /// Prints it for the namespaces that are named.
    pub(crate) fn print_offline(&self, printer: &Printer) -> Result<(), Error> {
        let account = self.named().unwrap_or_else(usual_account);
        self.print(printer, &account, &[])
    }

    /// Whom the API server takes Flumen for, as its credentials tell it.
    async fn of_cluster(
        &self,
        name: &ClusterName,
        context: &Context<'_>,
    ) -> Result<Account, Error> {
        let action = format!("show the cluster {name}");
        let cluster: Cluster =
            context.client.get(action, &["clusters", name.as_str()], &()).await?;
        let (account, acts_as) = (cluster.account.as_deref(), cluster.acts_as.as_deref());
        Ok(Account::told_by(cluster.credentials, account, acts_as).unwrap_or_else(|| {
            context.printer.note("The credentials of the cluster do not tell whom its API server takes Flumen for. The manifest has the service account flumen/flumen; name another with --account, --user or --group.");
            usual_account()
        }))
    }

    fn print(
        &self,
        printer: &Printer,
        account: &Account,
        needs: &[NamespaceNeeds],
    ) -> Result<(), Error> {
        let objects = manifest::objects(account, &self.places(needs));
        if printer.is_json() {
            let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
            return printer.json(&list);
        }
        printer.line(manifest::yaml(&objects).trim_end())
    }

    fn named(&self) -> Option<Account> {
        let user = self.user.clone().map(Account::User);
        let group = self.group.clone().map(Account::Group);
        let service = self.account.clone();
        let service = service.map(|(namespace, name)| Account::Service { namespace, name });
        user.or(group).or(service)
    }

    fn places(&self, needs: &[NamespaceNeeds]) -> Vec<Place> {
        let known = needs.iter().cloned().map(|needs| Place {
            namespace: needs.namespace,
            accounts: needs.service_accounts,
            host_network: needs.host_network,
        });
        let mut places: Vec<_> = known.collect();
        for namespace in &self.namespaces {
            let named = self.service_accounts.iter();
            if let Some(place) = places.iter_mut().find(|place| place.namespace == *namespace) {
                place.accounts.extend(named.cloned());
                place.accounts.sort();
                place.accounts.dedup();
                place.host_network |= self.host_network;
                continue;
            }
            let mut accounts: Vec<_> = named.cloned().collect();
            if accounts.is_empty() {
                accounts.push("default".to_owned());
            }
            let namespace = namespace.clone();
            places.push(Place { namespace, accounts, host_network: self.host_network });
        }
        places
    }
}
