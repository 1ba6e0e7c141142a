//! An API server over plain HTTP that answers what a test says.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use flumen_k8s::{Access, Cluster, Timeouts};
use flumen_model::Secret;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    server: JoinHandle<()>,
}

impl Fake {
    /// Answers each request by what `answer` makes of it and of the number of requests before it.
    pub(crate) async fn start<F>(answer: F) -> Self
    where
        F: Fn(&Seen, usize) -> Response<Body> + Clone + Send + Sync + 'static,
    {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let record = Arc::clone(&seen);
        let handler = move |request: Request| {
            let (answer, record) = (answer.clone(), Arc::clone(&record));
            async move {
                let (head, body) = request.into_parts();
                let one = Seen {
                    method: head.method.to_string(),
                    path: head.uri.path_and_query().unwrap().to_string(),
                    headers: head.headers,
                    body: axum::body::to_bytes(body, usize::MAX).await.unwrap(),
                };
                let mut record = record.lock().unwrap();
                let before = record.len();
                record.push(one.clone());
                drop(record);
                answer(&one, before)
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(handler);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, seen, server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) async fn cluster(&self) -> Cluster {
        connect(self.address, Timeouts::default()).await
    }

    pub(crate) async fn cluster_with(&self, call: Duration) -> Cluster {
        connect(self.address, Timeouts { call, ..Timeouts::default() }).await
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(crate) async fn connect(address: SocketAddr, timeouts: Timeouts) -> Cluster {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [
            { "name": "one", "context": { "cluster": "c", "user": "u" } },
            { "name": "two", "context": { "cluster": "c", "user": "u" } },
        ],
        "clusters": [{ "name": "c", "cluster": { "server": format!("http://{address}") } }],
        "users": [{ "name": "u", "user": { "token": "the-token" } }],
    });
    let kubeconfig = Secret::new(kubeconfig.to_string());
    let access = Access::Text { kubeconfig, context: None };
    Cluster::connect("fake", &access, timeouts).await.unwrap()
}

pub(crate) fn reply(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

/// An error as the API server words it.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> Response<Body> {
    let body: Value = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message,
    });
    reply(code, body.to_string())
}

/// An answer that never comes.
pub(crate) fn silence() -> Response<Body> {
    let nothing = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    reply(200, Body::from_stream(nothing))
}
