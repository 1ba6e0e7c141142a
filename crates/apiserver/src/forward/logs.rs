//! Logs of containers, which the kubelet of their node has.

use std::{io, sync::Arc, time::Duration};

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    Error,
    api::Api,
    failure::{Cause, Failure},
    request::Call,
    security::authority::Authority,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const MAXIMUM_ERROR_BYTES: usize = 64 << 10;
/// What a client may ask of a log, passed on under the same names.
const OPTIONS: [&str; 7] =
    ["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes"];

/// The TLS side of talking to kubelets: the cluster's authority, and a certificate of this server's own.
pub(crate) fn kubelet_config(authority: &Authority) -> Result<Arc<ClientConfig>, Error> {
    let unreadable = |_| Error::Tls(rustls::Error::General("unreadable PEM".into()));
    let (certificate, key) =
        authority.issue_client("kube-apiserver-kubelet-client", &["system:masters"])?;
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).map_err(unreadable)?;
    roots.add(root).map_err(Error::Tls)?;
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(unreadable)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(unreadable)?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)
        .map_err(Error::Tls)?;
    Ok(Arc::new(config))
}

/// GET of a pod's log.
pub(crate) async fn logs(api: &Api, call: &Call) -> Result<Response<Body>, Failure> {
    let resource = call.target.resource;
    let stored = api.store.get(resource.id, &call.key());
    let pod = stored.ok_or_else(|| Failure::not_found(resource, call.name()))?.value();
    let container = container_of(call, &pod)?;
    check_options(call)?;
    let node = pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
    if node.is_empty() {
        // Nobody runs it yet, so it has not said anything.
        return Ok(plain(Body::empty()));
    }
    let nodes = api.registry.core("nodes");
    let node_object =
        api.store.get(nodes.id, node).ok_or_else(|| Failure::not_found(nodes, node))?.value();
    let path = path_of(call, &container);
    let (connection, host) = connect(api, &node_object)
        .await
        .map_err(|error| Failure::internal(format!("Get \"https://{node}{path}\": {error}")))?;
    let answer = send(connection, &host, &path)
        .await
        .map_err(|error| Failure::internal(format!("Get \"https://{host}{path}\": {error}")))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(plain(Body::new(answer.into_body())));
    }
    let body = Limited::new(answer.into_body(), MAXIMUM_ERROR_BYTES).collect().await;
    let text = body
        .map(|body| String::from_utf8_lossy(&body.to_bytes()).trim().to_owned())
        .unwrap_or_default();
    Err(refused(call, status, text))
}

fn plain(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn refused(call: &Call, status: StatusCode, text: String) -> Failure {
    match status {
        StatusCode::BAD_REQUEST => Failure::bad_request(text),
        StatusCode::NOT_FOUND => Failure::not_found_because(&format!(
            "the server could not find the requested resource ( pods/log {}): {text}",
            call.name()
        )),
        _ => Failure::internal(text),
    }
}

/// The container that is meant, which need not be named where there is one.
pub(super) fn container_of(call: &Call, pod: &Value) -> Result<String, Failure> {
    let names = |list: &str| -> Vec<String> {
        let list =
            pod.pointer(&format!("/spec/{list}")).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|container| container.get("name").and_then(Value::as_str))
            .map(str::to_owned)
            .collect()
    };
    let (containers, initial) = (names("containers"), names("initContainers"));
    let preferred = pod.pointer("/metadata/annotations/kubectl.kubernetes.io~1default-container");
    let asked = call.query.text("container").or_else(|| preferred.and_then(Value::as_str));
    match (asked, containers.as_slice()) {
        (Some(asked), all) if all.iter().chain(&initial).any(|name| name == asked) => {
            Ok(asked.to_owned())
        }
        (Some(asked), _) => Err(Failure::bad_request(format!(
            "container {asked} is not valid for pod {}",
            call.name()
        ))),
        (None, [only]) => Ok(only.clone()),
        (None, all) => {
            let initial = match initial.as_slice() {
                [] => String::new(),
                names => format!(" or one of the init containers: [{}]", names.join(" ")),
            };
            let message = format!(
                "a container name must be specified for pod {}, choose one of: [{}]{initial}",
                call.name(),
                all.join(" ")
            );
            Err(Failure::bad_request(message))
        }
    }
}

fn check_options(call: &Call) -> Result<(), Failure> {
    let mut causes = Vec::new();
    for (name, least) in [("tailLines", 0), ("sinceSeconds", 1), ("limitBytes", 1)] {
        if let Some(number) = call.query.number(name)?.filter(|number| *number < least) {
            let detail = format!("must be greater than or equal to {least}");
            let detail = if least == 1 { "must be greater than 0".to_owned() } else { detail };
            causes.push(Cause::invalid(name, &number.into(), &detail));
        }
    }
    if call.query.text("sinceSeconds").is_some() && call.query.text("sinceTime").is_some() {
        causes.push(Cause::forbidden(
            "[]",
            "at most one of `sinceTime` or `sinceSeconds` may be specified",
        ));
    }
    // Only servers that tell the two streams apart take it.
    if call.query.text("stream").is_some_and(|stream| stream != "All") {
        causes.push(Cause::forbidden("stream", "may not be specified"));
    }
    if causes.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid_kind("", "PodLogOptions", call.name(), &causes))
    }
}

fn path_of(call: &Call, container: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for option in OPTIONS {
        if let Some(value) = call.query.text(option) {
            query.append_pair(option, value);
        }
    }
    let query = query.finish();
    let question = if query.is_empty() { "" } else { "?" };
    format!("/containerLogs/{}/{}/{container}{question}{query}", call.namespace(), call.name())
}

/// Connects to the kubelet of a node, under the first of its addresses that answers.
pub(super) async fn connect(api: &Api, node: &Value) -> io::Result<(TlsStream<TcpStream>, String)> {
    let port = node.pointer("/status/daemonEndpoints/kubeletEndpoint/Port").and_then(Value::as_u64);
    let port = port.and_then(|port| u16::try_from(port).ok());
    let port =
        port.ok_or_else(|| io::Error::other("the node does not say where its kubelet listens"))?;
    let mut last = io::Error::other("the node has no address");
    for host in addresses_of(node) {
        match tokio::time::timeout(CONNECT_TIMEOUT, connect_to(api, &host, port)).await {
            Ok(Ok(connection)) => return Ok((connection, format!("{host}:{port}"))),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
        }
    }
    Err(last)
}

fn addresses_of(node: &Value) -> Vec<String> {
    let addresses =
        node.pointer("/status/addresses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut hosts = Vec::new();
    for kind in ["InternalIP", "InternalDNS", "Hostname"] {
        for address in addresses.iter().filter(|address| address["type"] == kind) {
            hosts.extend(address["address"].as_str().map(str::to_owned));
        }
    }
    hosts
}

async fn connect_to(api: &Api, host: &str, port: u16) -> io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect((host, port)).await.map_err(|error| {
        io::Error::new(error.kind(), format!("dial tcp {host}:{port}: {error}"))
    })?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(api.kubelet_tls.clone()).connect(name, socket).await
}

async fn send(
    connection: TlsStream<TcpStream>,
    host: &str,
    path: &str,
) -> Result<Response<hyper::body::Incoming>, Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(connection)).await?;
    // It ends with the answer, or when nobody reads it any more.
    hyper::rt::Executor::execute(&TokioExecutor::new(), async move {
        if let Err(error) = connection.await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a connection to a kubelet ended"
            );
        }
    });
    let request =
        Request::get(path).header(header::HOST, host).body(Empty::<bytes::Bytes>::new())?;
    Ok(sender.send_request(request).await?)
}
