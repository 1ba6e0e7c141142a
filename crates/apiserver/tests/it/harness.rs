//! A server of one's own for each test, and clients for it.

use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use flumen_apiserver::{ApiServer, Settings};
use futures::StreamExt;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;

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

    /// One request without a socket; the answer is JSON, or null where it is none.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        call(&self.server, method, path, body).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        send(&self.server, request).await
    }

    /// As [`Cluster::call`], where only success will do.
    pub(crate) async fn must(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// The events of a watch, one JSON object for each line.
    pub(crate) async fn watch(&self, path: &str) -> Lines {
        let service = self.server.in_process("admin", &["system:masters"]);
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        lines(response)
    }

    /// A TLS connection that trusts the cluster's authority.
    pub(crate) async fn connect(&self, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
        let pem = self.server.certificate_authority_pem();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let socket = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap()
    }

    pub(crate) fn admin_token(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("keys/admin-token")).unwrap()
    }
}

/// One request without a socket.
pub(crate) async fn call(
    server: &ApiServer,
    method: Method,
    path: &str,
    body: &Value,
) -> (StatusCode, Value) {
    let kind =
        if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .body(body)
        .unwrap();
    send(server, request).await
}

async fn send(server: &ApiServer, request: Request<Body>) -> (StatusCode, Value) {
    let response = server.in_process("admin", &["system:masters"]).oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// The lines of an answer.
pub(crate) fn lines(response: http::Response<Body>) -> Lines {
    Lines { body: response.into_body().into_data_stream(), rest: Vec::new() }
}

/// The lines of a streamed answer.
pub(crate) struct Lines {
    body: axum::body::BodyDataStream,
    rest: Vec<u8>,
}

impl Lines {
    /// The next line; `None` at the end of the answer.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            self.rest.extend_from_slice(&self.body.next().await?.unwrap());
        }
    }

    /// The next line as `TYPE name`.
    pub(crate) async fn next_short(&mut self) -> String {
        match self.next().await {
            Some(event) => short(&event),
            None => "end".to_owned(),
        }
    }
}

/// An event as `TYPE name`.
pub(crate) fn short(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap();
    let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default();
    format!("{kind} {name}").trim().to_owned()
}
