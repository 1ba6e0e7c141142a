//! A way out of the node's network to one program on the host: an address in there whose connections are passed on to where
//! that program listens.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

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
        let mut passing = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = passing.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((from, _)) => {
                        passing.spawn(self.clone().pass(from));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a pod's connection to the server could not be taken");
                        tokio::task::yield_now().await;
                    }
                },
            }
        }
    }

    async fn pass(self, mut from: TcpStream) {
        let target = tokio::task::spawn_blocking(move || (self.target)()).await;
        let Ok(Some(target)) = target else {
            tracing::debug!("a pod asked for the server, and there is none");
            return;
        };
        let passed = async {
            let mut to = TcpStream::connect(target).await?;
            tokio::io::copy_bidirectional(&mut from, &mut to).await
        };
        if let Err(error) = passed.await {
            tracing::debug!(%error, %target, "a pod's connection to the server broke off");
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Door").finish_non_exhaustive()
    }
}
