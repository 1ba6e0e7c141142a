//! Logs, which come from the kubelet of the node.

use std::{convert::Infallible, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::harness::Cluster;

const PODS: &str = "/api/v1/namespaces/default/pods";

fn tls(cluster: &Cluster) -> TlsAcceptor {
    let (certificate, key) = cluster.server.issue_server_certificate(&["127.0.0.1"]).unwrap();
    let authority = cluster.server.certificate_authority_pem();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    // Without a certificate of the cluster nobody reads a log.
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A kubelet that answers what it is given to say, and repeats what it was asked.
async fn kubelet(cluster: &Cluster) -> (u16, mpsc::UnboundedSender<Bytes>) {
    let acceptor = tls(cluster);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::unbounded_channel();
    let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let connection = acceptor.accept(socket).await.unwrap();
            let receiver = receiver.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let receiver = receiver.clone();
                async move { Ok::<_, Infallible>(answer(&request, receiver)) }
            });
            let serve = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(connection), service);
            tokio::spawn(serve);
        }
    });
    (port, sender)
}

fn answer(
    request: &Request<Incoming>,
    receiver: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Bytes>>>,
) -> Response<Body> {
    if request.uri().path().ends_with("/waiting") {
        let text = "container \"waiting\" in pod \"a\" is waiting to start: ContainerCreating";
        return Response::builder().status(400).body(Body::from(text)).unwrap();
    }
    if request.uri().query().is_some_and(|query| query.contains("follow")) {
        let lines = stream::unfold(receiver, |receiver| async move {
            let line = receiver.lock().await.recv().await?;
            Some((Ok::<_, Infallible>(line), receiver))
        });
        return Response::new(Body::from_stream(lines));
    }
    Response::new(Body::from(request.uri().to_string()))
}

async fn start(containers: &Value) -> (Cluster, mpsc::UnboundedSender<Bytes>) {
    let cluster = Cluster::start().await;
    let (port, lines) = kubelet(&cluster).await;
    let node = json!({"metadata": {"name": "n"}, "status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}
    }});
    cluster.must(Method::POST, "/api/v1/nodes", &node).await;
    cluster
        .must(
            Method::POST,
            PODS,
            &json!({"metadata": {"name": "a"}, "spec": {"containers": containers}}),
        )
        .await;
    (cluster, lines)
}

async fn bind(cluster: &Cluster) {
    cluster
        .must(
            Method::POST,
            &format!("{PODS}/a/binding"),
            &json!({"metadata": {"name": "a"}, "target": {"name": "n"}}),
        )
        .await;
}

async fn read(cluster: &Cluster, query: &str) -> (StatusCode, String) {
    let service = cluster.server.in_process("admin", &["system:masters"]);
    let request = Request::get(format!("{PODS}/a/log{query}")).body(Body::empty()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(text.to_vec()).unwrap())
}

#[tokio::test]
async fn a_log_comes_from_the_kubelet_with_the_options_of_the_client() {
    let (cluster, _lines) = start(&json!([{"name": "c", "image": "i"}])).await;
    assert_eq!(
        read(&cluster, "").await,
        (StatusCode::NO_CONTENT, String::new()),
        "nobody runs it yet"
    );
    bind(&cluster).await;
    let (status, text) =
        read(&cluster, "?tailLines=5&timestamps=true&previous=true&pretty=1").await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::OK, "/containerLogs/default/a/c?previous=true&timestamps=true&tailLines=5")
    );
}

#[tokio::test]
async fn a_followed_log_arrives_line_by_line() {
    let (cluster, lines) = start(&json!([{"name": "c", "image": "i"}])).await;
    bind(&cluster).await;
    let service = cluster.server.in_process("admin", &["system:masters"]);
    let request = Request::get(format!("{PODS}/a/log?follow=true")).body(Body::empty()).unwrap();
    let mut body = service.oneshot(request).await.unwrap().into_body();
    for line in ["one\n", "two\n"] {
        lines.send(Bytes::from(line)).unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), line);
    }
}

#[tokio::test]
async fn the_container_must_be_named_where_there_are_several() {
    let (cluster, _lines) =
        start(&json!([{"name": "c", "image": "i"}, {"name": "waiting", "image": "i"}])).await;
    bind(&cluster).await;
    for (query, message) in [
        ("", "a container name must be specified for pod a, choose one of: [c waiting]"),
        ("?container=x", "container x is not valid for pod a"),
        (
            "?container=waiting",
            "container \"waiting\" in pod \"a\" is waiting to start: ContainerCreating",
        ),
    ] {
        let (status, text) = read(&cluster, query).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &answer["message"]), (StatusCode::BAD_REQUEST, &json!(message)));
    }
}
