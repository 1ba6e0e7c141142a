use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flumen_cluster::ClientCertificate;
use flumen_faults::Faults;
use jiff::Timestamp;
use kube::{Client, Config, config::AuthInfo};

use crate::{
    Access, Cause, Error,
    command::Command,
    redact,
    renewal::{self, Renewal, Token, bearer},
};

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
    /// Name of the cluster, for messages.
    pub(crate) name: Arc<str>,
    server: Arc<str>,
    /// The address of its API server, with the proxy that is on the way, for messages.
    pub(crate) way: Arc<str>,
    pub(crate) faults: Faults,
    good_until: Option<Timestamp>,
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
    /// Invalid where the kubeconfig or the context is not usable, unavailable where the command that it
    /// names gives no credentials.
    pub async fn connect(name: &str, access: &Access, timeouts: Timeouts) -> Result<Self, Error> {
        let mut config = access.config(name).await?;
        config.connect_timeout = Some(timeouts.connect);
        // The library would repeat every request, writes too, for minutes when it meets 429, 503 or 504:
        // a job could be started or stopped more than once.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let way = match &config.proxy_url {
            Some(proxy) => format!("{server} by way of the proxy {}", redact::proxy(proxy)),
            None => server.clone(),
        };
        let (client, good_until) = client(name, config).await?;
        Ok(Self {
            client,
            timeouts,
            name: name.into(),
            server: server.into(),
            way: way.into(),
            faults: Faults::default(),
            good_until,
        })
    }

    /// The same cluster, with points around each change. Default: none.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of its API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// When the client certificate ends that a command made: from then on another handle is needed, which asks the command
    /// anew. Tokens are renewed by themselves.
    pub const fn good_until(&self) -> Option<Timestamp> {
        self.good_until
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
        Cause::of(error, &self.way)
    }
}

/// A client, and when it is of no use any more.
async fn client(cluster: &str, mut config: Config) -> Result<(Client, Option<Timestamp>), Error> {
    let no_credentials = |problem| Error::Credentials { cluster: cluster.to_owned(), problem };
    let failed = |error: kube::Error| match redact::credentials(&error) {
        Some(problem) => no_credentials(problem),
        None => Error::UseKubeconfig {
            origin: format!("of cluster {cluster}"),
            problem: redact::client(&error),
        },
    };
    let Some(command) = command_of(&mut config.auth_info) else {
        return Ok((Client::try_from(config).map_err(failed)?, None));
    };
    let given = command.run().await.map_err(no_credentials)?;
    match (given.certificate, given.token) {
        (Some(ClientCertificate { certificate, key }), token) => {
            let user = &mut config.auth_info;
            user.client_certificate_data = Some(STANDARD.encode(certificate));
            user.client_key_data = Some(STANDARD.encode(key.expose()).into());
            user.token = token.map(|token| token.expose().to_owned().into());
            Ok((Client::try_from(config).map_err(failed)?, given.until))
        }
        (None, token) => {
            let token = token.map_or_else(String::new, |token| token.expose().to_owned());
            let renewal =
                Renewal::new(command, Token { header: bearer(&token), until: given.until });
            Ok((renewal::client(config, &Arc::new(renewal)).map_err(failed)?, None))
        }
    }
}

/// The command that counts. The library would run it itself, several times for one client.
fn command_of(user: &mut AuthInfo) -> Option<Command> {
    let exec = user.exec.take()?;
    let has_password = user.username.is_some() && user.password.is_some();
    let has_token = user.token.is_some() || user.token_file.is_some();
    let is_needed = user.auth_provider.is_none() && !has_password && !has_token;
    is_needed.then(|| Command::new(exec))
}

impl fmt::Debug for Cluster {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cluster")
            .field("name", &self.name)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
