//! The local cluster in this process: its API and its controllers, without a node.

use anyhow::{Context, Result};
use flumen_apiserver::ApiServer;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Target;

/// A local cluster that ends when this is dropped.
pub struct Local {
    target: Target,
    _stop: DropGuard,
    _directory: tempfile::TempDir,
}

impl Local {
    /// Starts one with nothing in it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn start() -> Result<Self> {
        let directory = tempfile::tempdir().context("could not make a directory")?;
        let stop = CancellationToken::new();
        let settings = flumen_apiserver::Settings {
            data_directory: directory.path().to_owned(),
            wait_for_disk: false,
            ..flumen_apiserver::Settings::default()
        };
        let server = ApiServer::start(settings, stop.clone()).await.context("the API server")?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("could not listen")?;
        let url = format!("https://{}", listener.local_addr().context("could not listen")?);
        server.serve(listener).context("the API server")?;
        let manager = server.in_process("system:kube-controller-manager", &["system:masters"]);
        let settings = flumen_controllers::Settings {
            root_certificate: Some(server.certificate_authority_pem()),
        };
        flumen_controllers::spawn(kube::Client::new(manager, "default"), settings, stop.clone());
        let token = std::fs::read_to_string(directory.path().join("keys/admin-token"))
            .context("could not read the administrator's token")?;
        let target = Target { url, authority: server.certificate_authority_pem(), token };
        Ok(Self { target, _stop: stop.drop_guard(), _directory: directory })
    }

    /// Where it is.
    pub fn target(&self) -> &Target {
        &self.target
    }
}
