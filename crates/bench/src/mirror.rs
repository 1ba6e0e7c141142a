//! A Maven repository on loopback, so that the network has no part in what is measured.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

/// Serves the files below a directory until it is dropped.
pub(crate) struct Mirror {
    pub(crate) address: String,
    _runtime: Runtime,
}

impl Mirror {
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("no runtime")?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("no port")?;
        let address = format!("http://{}/", listener.local_addr()?);
        let router = Router::new().fallback(answer).with_state(Arc::new(directory.to_owned()));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, _runtime: runtime })
    }
}

async fn answer(State(root): State<Arc<PathBuf>>, address: Uri) -> Response {
    let path = Path::new(address.path().trim_start_matches('/'));
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    match tokio::fs::read(root.join(path)).await {
        Ok(bytes) if is_below => bytes.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
