//! What users do with clusters.

use std::time::Duration;

use flumen_k8s::{Access, Timeouts};
use flumen_model::{AccessKind, ClusterAccess, ClusterName, EnvironmentName, Secret};
use flumen_store::{Cluster as Stored, ClusterChange, Principal};
use futures::future;
use jiff::Timestamp;

use super::{
    access::{portable, sealed_name},
    reason,
};
use crate::{Control, Error, Terms, clock, environments::LOCAL};

/// How long one cluster may keep a list of all waiting, or a change that was made already.
const GLANCE: Duration = Duration::from_secs(8);
/// How long a cluster is waited for that was asked for: a command that hangs is told as such by then.
const LOOK: Duration = Duration::from_secs(20);

/// How Flumen shall get at a cluster.
#[derive(Debug, Clone)]
pub enum ClusterSource {
    /// By a kubeconfig, which may hold keys and tokens.
    Kubeconfig {
        /// Its text.
        text: Secret,
        /// The context. Default: its current one.
        context: Option<String>,
    },
    /// By the service account of the pod that the server runs in.
    InCluster,
}

/// A cluster and whether it answers.
#[derive(Debug, Clone)]
pub struct ClusterView {
    /// Its name.
    pub name: String,
    /// How Flumen gets at it, without anything secret.
    pub access: ClusterAccess,
    /// The environments that are in it.
    pub environments: Vec<EnvironmentName>,
    /// Counts the changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// The address of its API server, if that is known.
    pub server: Option<String>,
    /// Its version, or why it does not answer.
    pub answer: Result<String, NoAnswer>,
}

/// Why a cluster does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    /// What was seen.
    pub reason: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl From<&Error> for NoAnswer {
    fn from(error: &Error) -> Self {
        Self { reason: reason(error), hint: error.hint() }
    }
}

struct Change {
    access: ClusterAccess,
    sealed: Option<String>,
}

impl Control {
    /// The clusters by name, all asked for their version at once: one that is away holds up no other.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn clusters(&self) -> Result<Vec<ClusterView>, Error> {
        let environments = self.store().environments().await?;
        let seen = self.store().clusters().await?.into_iter().map(|stored| {
            let inside = environments.iter().filter(|one| one.document.cluster == stored.name);
            self.look_at(stored.clone(), inside.map(|one| one.name.clone()).collect(), GLANCE)
        });
        Ok(future::join_all(seen).await)
    }

    /// One cluster, asked for its version just now.
    ///
    /// # Errors
    /// [`Error::NoCluster`] if there is none of that name.
    pub async fn cluster(&self, name: &str) -> Result<ClusterView, Error> {
        self.cluster_within(name, LOOK).await
    }

    async fn cluster_within(&self, name: &str, limit: Duration) -> Result<ClusterView, Error> {
        let stored = self.stored_cluster(name).await?;
        let environments = self.store().environments().await?;
        let inside = environments.into_iter().filter(|one| one.document.cluster == name);
        Ok(self.look_at(stored, inside.map(|one| one.name).collect(), limit).await)
    }

    /// Takes a new cluster in.
    ///
    /// # Errors
    /// [`Error::Conflict`] where there is one of that name or it is `local`, [`Error::Kubeconfig`] and [`Error::ClusterCommand`] for a
    /// kubeconfig that cannot be used, [`Error::SecretKey`] where it cannot be encrypted.
    pub async fn add_cluster(
        &self,
        principal: &Principal,
        name: &ClusterName,
        source: &ClusterSource,
    ) -> Result<ClusterView, Error> {
        refuse_local(name)?;
        let Change { access, sealed } = self.read_source(name, source).await?;
        let change =
            ClusterChange { name: name.as_str(), access: &access, credentials: sealed.as_deref() };
        if !self.store().add_cluster(principal.team, change, clock::now()).await? {
            let message = format!(
                "there is a cluster {name} already; `flumen cluster edit {name}` changes how it is reached"
            );
            return Err(Error::Conflict { message });
        }
        super::follow_places(self).await?;
        self.cluster_within(name.as_str(), GLANCE).await
    }

    /// Changes how a cluster is reached. What runs there is left as it is.
    ///
    /// # Errors
    /// As [`Control::add_cluster`]; [`Error::NoCluster`], and [`Error::Changed`] if the terms name another version.
    pub async fn edit_cluster(
        &self,
        name: &ClusterName,
        source: &ClusterSource,
        terms: &Terms,
    ) -> Result<ClusterView, Error> {
        refuse_local(name)?;
        let stored = self.stored_cluster(name.as_str()).await?;
        terms.check(format!("cluster {name}"), stored.version)?;
        let Change { access, sealed } = self.read_source(name, source).await?;
        let change =
            ClusterChange { name: name.as_str(), access: &access, credentials: sealed.as_deref() };
        if !self.store().replace_cluster(change, terms.if_match).await? {
            let now = self.stored_cluster(name.as_str()).await?;
            terms.check(format!("cluster {name}"), now.version)?;
        }
        self.clusters_handle().forget(name.as_str());
        super::follow_places(self).await?;
        self.cluster_within(name.as_str(), GLANCE).await
    }

    /// Forgets a cluster, with its credentials. Nothing is done to the cluster itself.
    ///
    /// # Errors
    /// [`Error::NoCluster`], and [`Error::Conflict`] where environments or jobs are in it.
    pub async fn remove_cluster(&self, name: &ClusterName) -> Result<(), Error> {
        refuse_local(name)?;
        self.stored_cluster(name.as_str()).await?;
        if !self.store().remove_cluster(name.as_str()).await? {
            let environments = self.store().environments().await?;
            let inside: Vec<_> = environments
                .iter()
                .filter(|one| one.document.cluster == name.as_str())
                .map(|one| one.name.to_string())
                .collect();
            let users = if inside.is_empty() {
                "jobs are".to_owned()
            } else {
                format!("the environments {} are", inside.join(", "))
            };
            let message = format!("cluster {name} cannot be removed: {users} in it");
            return Err(Error::Conflict { message });
        }
        self.clusters_handle().forget(name.as_str());
        super::follow_places(self).await
    }

    pub(super) async fn stored_cluster(&self, name: &str) -> Result<Stored, Error> {
        let clusters = self.store().clusters().await?;
        let found = clusters.into_iter().find(|cluster| cluster.name == name);
        found.ok_or_else(|| Error::NoCluster { name: name.to_owned() })
    }

    async fn read_source(
        &self,
        name: &ClusterName,
        source: &ClusterSource,
    ) -> Result<Change, Error> {
        let clusters = self.clusters_handle();
        match source {
            ClusterSource::InCluster => {
                // It is found out at once where the server runs in no pod.
                let made = flumen_k8s::Cluster::connect(
                    name.as_str(),
                    &Access::InCluster,
                    Timeouts::default(),
                );
                let server = made.await?.server().to_owned();
                let mut access = ClusterAccess::of(AccessKind::InCluster);
                access.server = Some(server);
                Ok(Change { access, sealed: None })
            }
            ClusterSource::Kubeconfig { text, context } => {
                let portable = portable(name.as_str(), text, context.as_deref())?;
                if let Some(command) = &portable.command {
                    clusters.allowed(name.as_str(), command)?;
                }
                let kubeconfig = portable.text.clone();
                Access::Text { kubeconfig, context: None }.check(name.as_str()).await?;
                let sealed = clusters.vault.seal(&sealed_name(name.as_str()), &portable.text)?;
                Ok(Change { access: portable.access, sealed: Some(sealed) })
            }
        }
    }

    async fn look_at(
        &self,
        stored: Stored,
        environments: Vec<EnvironmentName>,
        limit: Duration,
    ) -> ClusterView {
        let look = async {
            let handle = match self.clusters_handle().get(&stored.name).await {
                Ok(handle) => handle,
                Err(error) => return (None, Err(NoAnswer::from(&error))),
            };
            let version = handle.check().await.map(|version| version.git_version);
            let version = version.map_err(|error| NoAnswer::from(&Error::from(error)));
            (Some(handle.server().to_owned()), version)
        };
        let late = || {
            let reason = format!("it does not answer within {} s", limit.as_secs());
            (None, Err(NoAnswer { reason, hint: None }))
        };
        let (server, answer) = tokio::time::timeout(limit, look).await.unwrap_or_else(|_| late());
        let Stored { name, access, version, created_at } = stored;
        let server = server.or_else(|| access.server.clone());
        ClusterView { name, access, environments, version, created_at, server, answer }
    }
}

/// The local cluster is what `flumen up` says it is.
fn refuse_local(name: &ClusterName) -> Result<(), Error> {
    if name.as_str() != LOCAL {
        return Ok(());
    }
    let message = "the cluster local is that of `flumen up`, and can be neither added nor changed nor removed; add another one under a name of its own".to_owned();
    Err(Error::Conflict { message })
}
