//! A way out of the node's network to one program on the host: an address in there whose connections are passed on to where
//! that program listens.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::{fmt, io};

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::passage;

/// Where pods find the program, and where it listens.
#[derive(Clone)]
pub struct Door {
    target: Arc<dyn Fn() -> Option<SocketAddr> + Send + Sync>,
}

impl Door {
    /// The address in the node's network, beside the one of the Kubernetes API.
    pub const ADDRESS: SocketAddr =
        SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(10, 96, 0, 1), 7600));

    /// A door to where `target` says, which is asked at each connection: the program may come later, and elsewhere again.
    pub fn to(target: impl Fn() -> Option<SocketAddr> + Send + Sync + 'static) -> Self {
        Self { target: Arc::new(target) }
    }

    /// Passes connections on until told to stop.
    pub(crate) async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        passage::serve(listener, move || self.clone().connect(), stop).await;
    }

    async fn connect(self) -> io::Result<TcpStream> {
        let target = tokio::task::spawn_blocking(move || (self.target)()).await;
        let target = target.map_err(io::Error::other)?;
        let none = || io::Error::new(io::ErrorKind::NotFound, "there is no server");
        TcpStream::connect(target.ok_or_else(none)?).await
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Door").finish_non_exhaustive()
    }
}
