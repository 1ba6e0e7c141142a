//! A server of one's own for each test, and clients for it.

use std::net::SocketAddr;

use flumen_apiserver::{ApiServer, Settings};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A running server; it stops when this is dropped.
pub(crate) struct Cluster {
    pub(crate) server: ApiServer,
    pub(crate) address: SocketAddr,
    pub(crate) directory: TempDir,
    serving: JoinHandle<()>,
    stop: DropGuard,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change).await
    }

    pub(crate) async fn start_in(directory: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let stop = CancellationToken::new();
        let mut settings =
            Settings { data_directory: directory.path().to_owned(), ..Settings::default() };
        change(&mut settings);
        let server = ApiServer::start(settings, stop.clone()).await.unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = server.serve(listener).unwrap();
        Self { server, address, directory, serving, stop: stop.drop_guard() }
    }

    /// Stops the server and starts another one on the same directory.
    pub(crate) async fn restart(self) -> Self {
        let Self { server, directory, serving, stop, .. } = self;
        drop(stop);
        serving.await.unwrap();
        drop(server);
        Self::start_in(directory, |_| {}).await
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.address.port())
    }

    /// A client without a socket.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.server.in_process("admin", &["system:masters"]), "default")
    }

    /// A client over TLS with a client certificate.
    pub(crate) async fn tls_client(&self) -> Client {
        let text = self.server.kubeconfig(&self.url(), "admin", &["system:masters"]).unwrap();
        let kubeconfig = Kubeconfig::from_yaml(&text).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .unwrap();
        Client::try_from(config).unwrap()
    }
}
