//! Connections to pods, kept open between requests.

use std::{
    io,
    net::SocketAddr,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use futures::future::BoxFuture;
use http::Uri;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::net::TcpStream;
use tower::Service;

use crate::Dialer;

const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_CONNECTIONS: usize = 4;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An HTTP client whose connections are made by the dialer.
pub(crate) type Upstream = Client<Connector, Body>;

pub(crate) fn upstream(dialer: Dialer) -> Upstream {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .build(Connector { dialer })
}

/// Connects to the address in a URL, which is always a number here.
#[derive(Clone)]
pub(crate) struct Connector {
    dialer: Dialer,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let address =
            uri.authority().and_then(|authority| authority.as_str().parse::<SocketAddr>().ok());
        let connect = address.map(|address| (address, (self.dialer)(address)));
        Box::pin(async move {
            let (address, connect) = connect
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not an address"))?;
            let failed = |error: io::Error| {
                io::Error::new(error.kind(), format!("dial tcp {address}: {error}"))
            };
            let socket = tokio::time::timeout(CONNECT_TIMEOUT, connect)
                .await
                .map_err(|_| failed(io::Error::new(io::ErrorKind::TimedOut, "i/o timeout")))?
                .map_err(failed)?;
            // Small requests and answers wait for nothing.
            let _ = socket.set_nodelay(true);
            Ok(TokioIo::new(socket))
        })
    }
}

/// The innermost cause of an error, which is the one that says something.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
