//! Whether a cluster has what Flumen and Flink need, in each namespace that its environments use.

use std::borrow::Cow;

use flumen_cluster::{manifest::Place, needs::Needs, quota, rights};
use flumen_k8s::{Cluster, DnsSeen};
use flumen_model::{Kind, Namespace};
use flumen_store::JobFilter;

mod contact;

use self::contact::{credentials, reachable};
use super::{ClusterView, reason};
use crate::{CheckOutcome, Control, Error};

/// What the version of the local cluster ends with. Its names are resolved outside of it.
const LOCAL_VERSION: &str = "+flumen";

/// A cluster, and what was looked at.
#[derive(Debug, Clone)]
pub struct ClusterCheck {
    /// The cluster.
    pub cluster: ClusterView,
    /// What was looked at, one by one.
    pub findings: Vec<ClusterFinding>,
}

/// A namespace that jobs are to run in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnotherPlace {
    /// The namespace.
    pub namespace: Namespace,
    /// The service account of Flink's pods there. Default: those of the environments there, else `default`.
    pub account: Option<String>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterFinding {
    /// What was looked at, in a few words.
    pub name: String,
    /// What came of it.
    pub outcome: CheckOutcome,
    /// What was seen, in one sentence.
    pub detail: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl ClusterFinding {
    fn passed(name: impl Into<String>, detail: impl Into<String>) -> Self {
        let (name, detail) = (name.into(), detail.into());
        Self { name, outcome: CheckOutcome::Passed, detail, remedy: None }
    }

    fn not_looked(name: impl Into<String>, detail: impl Into<String>, remedy: &str) -> Self {
        let (name, detail) = (name.into(), detail.into());
        let remedy = (!remedy.is_empty()).then(|| remedy.to_owned());
        Self { name, outcome: CheckOutcome::NotLooked, detail, remedy }
    }

    fn failed(
        name: impl Into<String>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (name, detail, remedy) = (name.into(), detail.into(), Some(remedy.into()));
        Self { name, outcome: CheckOutcome::Failed, detail, remedy }
    }

    /// A look that went wrong.
    fn broken(name: impl Into<String>, error: flumen_k8s::Error) -> Self {
        let denied = error.kind() == Kind::Denied;
        let detail = reason(&error.into());
        if denied {
            Self::not_looked(name, detail, "")
        } else {
            Self::failed(name, detail, "see that the cluster answers, and check again")
        }
    }
}

impl Control {
    /// Looks whether a cluster can be reached and has what Flumen and Flink need. Beside the namespaces of its environments
    /// one that is named is looked at. What goes wrong is in the answer.
    ///
    /// # Errors
    /// [`Error::NoCluster`] if there is none of that name.
    pub async fn check_cluster(
        &self,
        name: &str,
        more: Option<&AnotherPlace>,
    ) -> Result<ClusterCheck, Error> {
        let cluster = self.cluster(name).await?;
        let mut findings = vec![reachable(&cluster)];
        findings.extend(credentials(&cluster));
        if let (Ok(version), Ok(handle)) = (&cluster.answer, self.clusters_handle().get(name).await)
        {
            let is_local = version.ends_with(LOCAL_VERSION);
            let look = Look { cluster: name, handle: &handle, is_local };
            findings.push(look.dns().await);
            let places = self.needs_of(name, more).await?;
            if places.is_empty() {
                findings.push(nowhere(name));
            }
            for (namespace, needs) in places {
                look.namespace(&namespace, &needs, &mut findings).await;
            }
        }
        Ok(ClusterCheck { cluster, findings })
    }

    /// What Flink needs in each namespace of the cluster's environments, by name.
    ///
    /// # Errors
    /// [`Error::NoCluster`] if there is none of that name.
    pub async fn cluster_needs(&self, name: &str) -> Result<Vec<Place>, Error> {
        self.stored_cluster(name).await?;
        let place = |(namespace, needs): (Namespace, Needs)| Place {
            namespace,
            accounts: needs.accounts.into_iter().collect(),
            host_network: needs.host_network,
        };
        Ok(self.needs_of(name, None).await?.into_iter().map(place).collect())
    }

    /// What is asked of each namespace of the cluster.
    async fn needs_of(
        &self,
        cluster: &str,
        more: Option<&AnotherPlace>,
    ) -> Result<Vec<(Namespace, Needs)>, Error> {
        let environments = self.store().environments().await?;
        let jobs = self.store().jobs(&JobFilter::default()).await?;
        let environments: Vec<_> = environments
            .into_iter()
            .map(|one| (one.name, one.document))
            .filter(|(_, document)| document.cluster == cluster)
            .collect();
        let mut namespaces: Vec<_> =
            environments.iter().map(|(_, document)| document.namespace.clone()).collect();
        namespaces.extend(more.map(|more| more.namespace.clone()));
        namespaces.sort();
        namespaces.dedup();
        let needs = namespaces.into_iter().map(|namespace| {
            let here = environments.iter().filter(|(_, document)| document.namespace == namespace);
            let mut configurations = Vec::new();
            for (name, document) in here {
                configurations.push(document.configuration.clone());
                for job in jobs.iter().filter(|job| job.environment == *name) {
                    let mut whole = document.configuration.clone();
                    whole.extend(job.spec.configuration.clone());
                    configurations.push(whole);
                }
            }
            let is_unknown = configurations.is_empty();
            if is_unknown {
                configurations.push(flumen_cluster::needs::Configuration::new());
            }
            let named = more.filter(|more| more.namespace == namespace);
            let account = named.and_then(|more| more.account.clone());
            let mut needs = Needs::of(&configurations);
            if account.is_some() && is_unknown {
                needs.accounts.clear();
            }
            needs.accounts.extend(account);
            (namespace, needs)
        });
        Ok(needs.collect())
    }
}

fn nowhere(cluster: &str) -> ClusterFinding {
    ClusterFinding::not_looked(
        "rights",
        "no environment is in the cluster, so that it is not known where to look",
        &format!("name a namespace: flumen cluster check {cluster} --namespace NAME"),
    )
}

struct Look<'a> {
    cluster: &'a str,
    handle: &'a Cluster,
    is_local: bool,
}

impl Look<'_> {
    async fn dns(&self) -> ClusterFinding {
        const NAME: &str = "DNS";
        if self.is_local {
            return ClusterFinding::passed(
                NAME,
                "the local cluster's node answers for names of Services",
            );
        }
        match self.handle.dns().await {
            Ok(DnsSeen::Ready { service, endpoints }) => {
                let detail = format!(
                    "the Service {service} has {endpoints} ready endpoint{}",
                    plural(endpoints)
                );
                ClusterFinding::passed(NAME, detail)
            }
            Ok(DnsSeen::NoEndpoints { service }) => ClusterFinding::failed(
                NAME,
                format!(
                    "the Service {service} has no endpoint that is ready: pods find no JobManager by its name"
                ),
                "see why the pods of the cluster's DNS do not run",
            ),
            Ok(DnsSeen::NoService) => ClusterFinding::not_looked(
                NAME,
                "there is no Service with the label k8s-app=kube-dns in kube-system; nodes may have a DNS of their own",
                "see that a pod of the cluster resolves kubernetes.default.svc",
            ),
            Ok(DnsSeen::Hidden) => ClusterFinding::not_looked(
                NAME,
                "Flumen's account may not look at Services and EndpointSlices in kube-system, and needs not",
                "see that a pod of the cluster resolves kubernetes.default.svc",
            ),
            Err(error) => ClusterFinding::broken(NAME, error),
        }
    }

    async fn namespace(
        &self,
        namespace: &Namespace,
        needs: &Needs,
        findings: &mut Vec<ClusterFinding>,
    ) {
        let apply = self.apply(namespace, needs);
        findings.push(self.existence(namespace, &apply).await);
        findings.push(self.rights(namespace, &apply).await);
        for account in &needs.accounts {
            let whose = (account.as_str(), needs.host_network);
            findings.push(self.rights_of(namespace, whose, &apply).await);
        }
        findings.push(self.quota(namespace).await);
        for secret in &needs.pull_secrets {
            findings.push(self.pull_secret(namespace, secret).await);
        }
    }

    async fn existence(&self, namespace: &Namespace, apply: &str) -> ClusterFinding {
        let name = format!("namespace {namespace}");
        match self.handle.has_namespace(namespace).await {
            Ok(true) => ClusterFinding::passed(name, "it is there"),
            Ok(false) => ClusterFinding::not_looked(
                name,
                "it is not there; Flumen creates it with the first job if it may",
                apply,
            ),
            Err(error) => ClusterFinding::broken(name, error),
        }
    }

    /// What prints the manifest that gives what is missing: all of it, as one takes the place of the one before.
    fn apply(&self, namespace: &Namespace, needs: &Needs) -> String {
        let name = self.cluster;
        let mut command = format!("flumen cluster rbac {name} --namespace {namespace}");
        if !needs.accounts.iter().eq(["default"]) {
            for account in &needs.accounts {
                command = format!("{command} --service-account {}", word(account));
            }
        }
        if needs.host_network {
            command.push_str(" --host-network");
        }
        format!("have someone who may run: {command} | kubectl apply -f -")
    }

    async fn rights(&self, namespace: &Namespace, apply: &str) -> ClusterFinding {
        let name = format!("rights in {namespace}");
        let missing = match self.handle.missing_permissions(namespace).await {
            Ok(missing) => missing,
            Err(error) => return ClusterFinding::broken(name, error),
        };
        if missing.is_empty() {
            return ClusterFinding::passed(name, "Flumen's account may do all that it needs to");
        }
        let detail = format!("Flumen's account may not {}", rights::list(&missing));
        if missing.iter().all(|one| one.need == rights::Need::Check) {
            let detail = format!("{detail}; jobs run, and some checks cannot look");
            return ClusterFinding::not_looked(name, detail, apply);
        }
        ClusterFinding::failed(name, detail, apply)
    }

    async fn rights_of(
        &self,
        namespace: &Namespace,
        (account, host_network): (&str, bool),
        apply: &str,
    ) -> ClusterFinding {
        let name = format!("rights of {namespace}/{account}");
        match self.handle.missing_permissions_of(namespace, account, host_network).await {
            Ok(missing) if missing.is_empty() => {
                ClusterFinding::passed(name, "Flink's service account may do all that it needs to")
            }
            Ok(missing) => ClusterFinding::failed(
                name,
                format!("Flink's service account may not {}", rights::list(&missing)),
                apply,
            ),
            Err(error) if matches!(error.kind(), Kind::Denied | Kind::NotFound) => {
                ClusterFinding::not_looked(
                    name,
                    "it could not be checked: Flumen's account may not ask what others may do (create localsubjectaccessreviews.authorization.k8s.io)",
                    apply,
                )
            }
            Err(error) => ClusterFinding::broken(name, error),
        }
    }

    async fn quota(&self, namespace: &Namespace) -> ClusterFinding {
        let name = format!("quota of {namespace}");
        let quotas = match self.handle.quotas(namespace).await {
            Ok(quotas) => quotas,
            Err(error) if error.kind() == Kind::NotFound => Vec::new(),
            Err(error) => return ClusterFinding::broken(name, error),
        };
        let left = quota::left(&quotas);
        let blocking: Vec<_> =
            left.iter().filter(|one| one.blocks).map(ToString::to_string).collect();
        if !blocking.is_empty() {
            let detail =
                format!("the smallest job does not fit: there is left {}", blocking.join(", "));
            return ClusterFinding::failed(
                name,
                detail,
                "raise the quota, or remove what uses it up",
            );
        }
        let detail = if left.is_empty() {
            "nothing that a job needs is limited".to_owned()
        } else {
            let all: Vec<_> = left.iter().map(ToString::to_string).collect();
            format!("there is left {}", all.join(", "))
        };
        ClusterFinding::passed(name, detail)
    }

    async fn pull_secret(&self, namespace: &Namespace, secret: &str) -> ClusterFinding {
        let name = format!("pull secret {namespace}/{secret}");
        let create = format!(
            "create it with `kubectl create secret docker-registry {} --namespace {namespace} --docker-server … --docker-username … --docker-password …`",
            word(secret)
        );
        match self.handle.secret(namespace, secret).await {
            Ok(None) => ClusterFinding::failed(name, "the Secret is not there", create),
            Ok(Some(found)) => {
                let entries = [".dockerconfigjson", ".dockercfg"];
                if entries.iter().any(|entry| found.entries.contains_key(*entry)) {
                    ClusterFinding::passed(name, "the Secret is there")
                } else {
                    let detail = "the Secret has no entry .dockerconfigjson, so that no image is pulled with it";
                    ClusterFinding::failed(name, detail, create)
                }
            }
            Err(error) => ClusterFinding::broken(name, error),
        }
    }
}

/// A name of a job's file, as one word to a shell whatever is in it.
fn word(name: &str) -> Cow<'_, str> {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '.');
    if name.chars().all(is_plain) {
        return name.into();
    }
    format!("'{}'", name.replace('\'', r"'\''")).into()
}

const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
