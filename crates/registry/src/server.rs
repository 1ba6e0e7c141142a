use std::{future::IntoFuture, net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio_util::sync::CancellationToken;

use crate::{Error, handler, storage::Storage};

/// How long transfers may go on after the stop.
const LAST_TRANSFERS: Duration = Duration::from_secs(5);

/// Serves the registry in `data_directory` on `listener` until `stop`; transfers under way then have five seconds.
///
/// # Errors
/// If the data directory cannot be used or is in use by another registry, or the listener does not work.
pub async fn serve(
    listener: TcpListener,
    data_directory: PathBuf,
    stop: CancellationToken,
) -> Result<(), Error> {
    let storage = Storage::open(data_directory).await?;
    listener.set_nonblocking(true).map_err(|source| Error::Serve { source })?;
    let listener = tokio::net::TcpListener::from_std(listener)
        .map_err(|source| Error::Serve { source })?
        .tap_io(|stream| {
            // Only latency is lost if it fails.
            let _ = stream.set_nodelay(true);
        });
    let router = Router::new().fallback(handler::answer).with_state(Arc::new(storage));
    let server =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        ended = server.into_future() => ended.map_err(|source| Error::Serve { source }),
        () = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_TRANSFERS).await;
        } => Ok(()),
    }
}
