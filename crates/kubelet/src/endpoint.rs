//! The kubelet's own HTTPS endpoint: logs, commands and forwarded ports, for clients that the cluster's authority vouches for.

mod exec;
mod logs;
mod port_forward;
mod tls;
mod upgrade;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{any, get},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{pods::Node, settings::Endpoint};
pub(crate) use tls::Error;

const HANDSHAKE: Duration = Duration::from_secs(10);

/// Ready to serve.
pub(crate) struct Server {
    listener: TcpListener,
    tls: TlsAcceptor,
    routes: Router,
    /// Connections end with it: after a power failure nobody answers any more.
    life: CancellationToken,
}

impl Server {
    /// The endpoint stays bound when the server is gone.
    pub(crate) fn new(endpoint: &Endpoint, node: Arc<Node>) -> Result<Self, Error> {
        let tls = tls::acceptor(endpoint)?;
        let listener = endpoint.listener.try_clone().map_err(Error::Listener)?;
        listener.set_nonblocking(true).map_err(Error::Listener)?;
        let listener = TcpListener::from_std(listener).map_err(Error::Listener)?;
        let life = node.present.life().clone();
        let routes = Router::new()
            .route("/healthz", get(async || "ok"))
            .route("/containerLogs/{namespace}/{pod}/{container}", get(logs::get))
            .route("/exec/{namespace}/{pod}/{container}", any(exec::exec))
            .route("/attach/{namespace}/{pod}/{container}", any(exec::attach))
            .route("/portForward/{namespace}/{pod}", any(port_forward::port_forward))
            .with_state(node);
        Ok(Self { listener, tls, routes, life })
    }

    /// Serves until the future is dropped.
    pub(crate) async fn serve(self) {
        loop {
            match self.listener.accept().await {
                Ok((connection, _)) => {
                    let serving =
                        serve_connection(connection, self.tls.clone(), self.routes.clone());
                    tokio::spawn(self.life.clone().run_until_cancelled_owned(serving));
                }
                Err(error) => {
                    tracing::debug!(%error, "could not accept a connection to the kubelet");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn serve_connection(connection: TcpStream, tls: TlsAcceptor, routes: Router) {
    // A log line must not wait for more.
    let _ = connection.set_nodelay(true);
    let stream = match tokio::time::timeout(HANDSHAKE, tls.accept(connection)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "refused a connection to the kubelet");
            return;
        }
        Err(_) => return,
    };
    if !tls::is_authorized(&stream) {
        tracing::debug!("refused a client of the kubelet that is no administrator");
        return;
    }
    let service = TowerToHyperService::new(routes);
    if let Err(error) = auto::Builder::new(TokioExecutor::new())
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(error, "a connection to the kubelet ended");
    }
}
