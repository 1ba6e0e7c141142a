use std::{fmt, sync::Arc, time::Duration};

use kube::Client;

use crate::{Access, Cause, Error};

/// Time limits. They are long for a quiet cluster and short for a person who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection to stand. Default: 5 s.
    pub connect: Duration,
    /// For each single call. Default: 15 s.
    pub call: Duration,
    /// How long one watch request lasts before it is made anew, which bounds how long a connection that
    /// broke silently goes unnoticed. Default: 50 s.
    pub watch: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(15),
            watch: Duration::from_secs(50),
        }
    }
}

/// A Kubernetes cluster that Flumen can speak to. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) client: Client,
    pub(crate) timeouts: Timeouts,
    /// Name of the cluster and address of its API server, for messages.
    pub(crate) name: Arc<str>,
    pub(crate) server: Arc<str>,
}

/// The version of an API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion {
    /// For example `v1.34.4`.
    pub git_version: String,
    /// For example 1.
    pub major: String,
    /// For example 34 or `34+`.
    pub minor: String,
}

impl Cluster {
    /// Makes a handle named `name`; nothing is sent yet.
    ///
    /// # Errors
    /// [`Kind::Invalid`](flumen_model::Kind::Invalid) where the kubeconfig or the context is not usable.
    pub async fn connect(name: &str, access: &Access, timeouts: Timeouts) -> Result<Self, Error> {
        let mut config = access.config(name).await?;
        config.connect_timeout = Some(timeouts.connect);
        // The library would repeat every request, writes too, for minutes when it meets 429, 503 or 504:
        // a job could be started or stopped more than once.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| Error::UseKubeconfig {
            origin: format!("of cluster {name}"),
            problem: crate::error::innermost(&error),
        })?;
        Ok(Self { client, timeouts, name: name.into(), server: server.into() })
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of its API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Asks the server for its version: it is there and knows who asks.
    ///
    /// # Errors
    /// What [`Error::kind`] says of [`Error::Check`].
    pub async fn check(&self) -> Result<ServerVersion, Error> {
        let version = self
            .read(|| self.client.apiserver_version())
            .await
            .map_err(|source| Error::Check { cluster: self.name.to_string(), source })?;
        Ok(ServerVersion {
            git_version: version.git_version,
            major: version.major,
            minor: version.minor,
        })
    }

    pub(crate) fn cause(&self, error: kube::Error) -> Cause {
        Cause::of(error, &self.server)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cluster")
            .field("name", &self.name)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
