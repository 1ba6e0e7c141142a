//! The handle to a running API server.

use std::{fmt, path::Path, sync::Arc};

use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, InProcess, Settings,
    allocation::Allocation,
    api::Api,
    bootstrap, expiry, forward,
    lock::DirectoryLock,
    resources::Registry,
    security::{
        ADMINISTRATOR, User,
        authority::{Authority, Pair},
        roles::Roles,
        tokens::Tokens,
    },
    storage::{Options, Store},
    transport,
};

/// A running API server. Clones are handles to the same server.
#[derive(Clone)]
pub struct ApiServer {
    api: Arc<Api>,
    tls: Arc<ServerConfig>,
}

impl fmt::Debug for ApiServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiServer")
            .field("settings", &self.api.settings)
            .finish_non_exhaustive()
    }
}

impl ApiServer {
    /// Opens the data directory, or makes it, with everything that a cluster has from the start.
    /// Nothing listens yet. The server ends when `stop` is cancelled.
    ///
    /// # Errors
    /// If the directory is in use, cannot be written, is damaged, or is of another version.
    pub async fn start(settings: Settings, stop: CancellationToken) -> Result<Self, Error> {
        let lock = DirectoryLock::take(&settings.data_directory)?;
        // Secrets are in the state, too.
        make_private(&settings.data_directory.join("state"))?;
        let registry = Registry::global();
        let store = Store::open(
            &Options {
                directory: &settings.data_directory.join("state"),
                watch_window: settings.watch_window,
                compact_after_bytes: settings.compact_after_bytes,
                wait_for_disk: settings.wait_for_disk,
            },
            registry,
        )?;
        let keys = settings.data_directory.join("keys");
        make_private(&keys)?;
        let authority = Authority::open(&keys)?;
        let tokens = Tokens::open(&keys)?;
        let (services, _) = store.list(registry.core("services").id, None);
        let services: Vec<Value> = services.iter().map(|(_, object)| object.value()).collect();
        let allocation = Allocation::new(&settings, services.iter());
        let (certificate, key) = authority.issue_server(&server_names(&settings))?;
        let tls = transport::tls::server_config(authority.pem(), &certificate, &key)?;
        let upstream = forward::upstream::upstream(settings.dialer.clone());
        let kubelet_tls = forward::logs::kubelet_config(&authority)?;
        let roles = Roles::follow(&store, registry);
        let api = Api {
            store,
            registry,
            settings,
            allocation,
            authority,
            tokens,
            roles,
            upstream,
            kubelet_tls,
            stop,
            _lock: lock,
        };
        let api = Arc::new(api);
        bootstrap::run(&api).await?;
        tokio::spawn(expiry::run(Arc::downgrade(&api), api.stop.clone()));
        Ok(Self { api, tls })
    }

    /// Serves the API over TLS on a listener until the server stops; may be called for several listeners.
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub fn serve(&self, listener: std::net::TcpListener) -> Result<JoinHandle<()>, Error> {
        listener.set_nonblocking(true).map_err(Error::Listen)?;
        let listener = TcpListener::from_std(listener).map_err(Error::Listen)?;
        Ok(tokio::spawn(transport::tls::accept_loop(self.api.clone(), listener, self.tls.clone())))
    }

    /// The API as a service in this process, on behalf of a user; `kube::Client::new` takes it.
    pub fn in_process(&self, user: &str, groups: &[&str]) -> InProcess {
        InProcess::new(self.api.clone(), User::new(user, groups.iter().copied()))
    }

    /// The cluster's own certificate authority.
    pub fn authority(&self) -> &Authority {
        &self.api.authority
    }

    /// The certificate that clients must trust.
    pub fn certificate_authority_pem(&self) -> String {
        self.api.authority.pem().to_owned()
    }

    /// A client certificate and its key, as PEM, for a user in at most two groups.
    ///
    /// # Errors
    /// If there are more groups, or the name cannot stand in a certificate.
    pub fn issue_client_certificate(&self, user: &str, groups: &[&str]) -> Result<Pair, Error> {
        self.api.authority.issue_client(user, groups)
    }

    /// A server certificate and its key, as PEM, for names and addresses.
    ///
    /// # Errors
    /// If a name cannot stand in a certificate.
    pub fn issue_server_certificate(&self, names: &[impl AsRef<str>]) -> Result<Pair, Error> {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        self.api.authority.issue_server(&names)
    }

    /// A kubeconfig with a new client certificate for a user.
    ///
    /// # Errors
    /// As [`ApiServer::issue_client_certificate`].
    pub fn kubeconfig(&self, url: &str, user: &str, groups: &[&str]) -> Result<String, Error> {
        self.api.authority.kubeconfig(url, user, groups)
    }

    /// The administrator's kubeconfig. It holds a token, because clients in Java, Flink's among them, read a
    /// client certificate only with an RSA key, and ours are on elliptic curves.
    pub fn administrator_kubeconfig(&self, url: &str) -> String {
        let credential = json!({"token": self.api.tokens.administrator()});
        self.api.authority.kubeconfig_with(url, ADMINISTRATOR, &credential)
    }
}

fn server_names(settings: &Settings) -> Vec<String> {
    let fixed = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "localhost",
        "127.0.0.1",
        "::1",
    ];
    let mut names: Vec<String> = fixed.map(str::to_owned).to_vec();
    names.push(settings.service_range.nth(1).to_string());
    names.push(settings.advertised.ip().to_string());
    names.extend(settings.server_names.iter().cloned());
    names.sort_by_key(|name| fixed.iter().position(|fixed| fixed == name).unwrap_or(usize::MAX));
    names.dedup();
    names
}

fn make_private(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| Error::CreateDirectory { path: path.to_owned(), source })
}
