use std::collections::BTreeMap;

use clap::Args;
use flumen_api_types::{Environment, Page};
use flumen_cluster::{
    manifest::{self, Account, Place},
    needs::{Configuration, Needs},
};
use flumen_model::{ClusterName, Namespace};

use crate::{Error, Printer, commands::Context};

/// Print the manifest that gives Flumen and Flink the rights that they need, and no others
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster rbac eu-1 | kubectl apply -f -
  flumen cluster rbac eu-1 --namespace flink --service-account flink | kubectl apply -f -
  flumen cluster rbac --namespace flink --account platform/flumen
  flumen cluster rbac --namespace flink --user flumen@example.com --output json

Namespaces and Flink's service accounts are those of the environments in the cluster, and those that are
named; without a cluster only the latter, and no server is asked about it. Rights are given by a Role in
each namespace: nothing is given in the whole cluster. Whoever applies it must have those rights.")]
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

    /// Service account that Flumen runs under, which is made too [default: flumen/flumen]
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = service_account, conflicts_with_all = ["user", "group"])]
    account: Option<(Namespace, String)>,

    /// User that the API server takes Flumen for, instead of a service account
    #[arg(long, value_name = "NAME", conflicts_with = "group")]
    user: Option<String>,

    /// Group of users that the API server takes Flumen for
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
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
        let mut environments = Vec::new();
        if let Some(name) = &self.name {
            let action = format!("list the environments of the cluster {name}");
            let page: Page<Environment> =
                context.client.get(action, &["environments"], &[("limit", 500)]).await?;
            environments = page.items;
            environments.retain(|one| one.spec.cluster == name.as_str());
            if environments.is_empty() && self.namespaces.is_empty() {
                return Err(Error::NoNamespace { cluster: name.to_string() });
            }
        }
        self.print(&context.printer, &environments)
    }

    /// Whether it can be printed without asking a server.
    pub(crate) const fn needs_no_server(&self) -> bool {
        self.name.is_none()
    }

    pub(crate) fn print(
        &self,
        printer: &Printer,
        environments: &[Environment],
    ) -> Result<(), Error> {
        let objects = manifest::objects(&self.subject(), &self.places(environments));
        if printer.is_json() {
            let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
            return printer.json(&list);
        }
        printer.line(manifest::yaml(&objects).trim_end())
    }

    fn subject(&self) -> Account {
        match (&self.user, &self.group, &self.account) {
            (Some(user), _, _) => Account::User(user.clone()),
            (_, Some(group), _) => Account::Group(group.clone()),
            (_, _, Some((namespace, name))) => {
                Account::Service { namespace: namespace.clone(), name: name.clone() }
            }
            _ => Account::Service {
                namespace: "flumen".parse().expect("a namespace may be called so"),
                name: "flumen".to_owned(),
            },
        }
    }

    fn places(&self, environments: &[Environment]) -> Vec<Place> {
        let mut all: BTreeMap<&Namespace, Vec<&Configuration>> = BTreeMap::new();
        for environment in environments {
            let spec = &environment.spec;
            all.entry(&spec.namespace).or_default().push(&spec.configuration);
        }
        let mut places: Vec<_> = all
            .into_iter()
            .map(|(namespace, configurations)| (namespace.clone(), Needs::of(configurations)))
            .collect();
        for namespace in &self.namespaces {
            let named = self.service_accounts.iter().cloned();
            if let Some((_, needs)) = places.iter_mut().find(|(known, _)| known == namespace) {
                needs.accounts.extend(named);
                continue;
            }
            let mut needs = Needs { accounts: named.collect(), ..Needs::default() };
            if needs.accounts.is_empty() {
                needs = Needs::of([&Configuration::new()]);
            }
            places.push((namespace.clone(), needs));
        }
        let place = |(namespace, needs): (Namespace, Needs)| Place {
            namespace,
            accounts: needs.accounts.into_iter().collect(),
            host_network: needs.host_network,
        };
        places.into_iter().map(place).collect()
    }
}
