//! Connections that are passed on between the host and the node's network.

use std::io;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What keeps connections from being taken, such as too many open files, does not pass at once.
const PAUSE: Duration = Duration::from_millis(100);

/// Passes each connection on to a new one, until told to stop.
pub(crate) async fn serve<F>(
    listener: TcpListener,
    connect: impl Fn() -> F + Clone + Send + 'static,
    stop: CancellationToken,
) where
    F: Future<Output = io::Result<TcpStream>> + Send + 'static,
{
    let mut passing = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = passing.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((from, _)) => {
                    passing.spawn(pass(from, connect()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
}

async fn pass(mut from: TcpStream, connecting: impl Future<Output = io::Result<TcpStream>>) {
    let passed = async {
        let mut to = connecting.await?;
        tokio::io::copy_bidirectional(&mut from, &mut to).await
    };
    if let Err(error) = passed.await {
        tracing::debug!(%error, "a connection that is passed on broke off");
    }
}
