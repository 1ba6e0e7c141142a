//! Commands in containers and forwarded ports, which the kubelet of the pod's node has: the client's connection is
//! joined with one to the kubelet, and what is spoken over it is between those two.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::logs::{self, MAXIMUM_ERROR_BYTES};
use crate::{api::Api, failure::Failure, request::Call};

/// What of a request and its answer concerns the protocol that both sides change to.
const PASSED_ON: [HeaderName; 8] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_EXTENSIONS,
    HeaderName::from_static("x-stream-protocol-version"),
];
/// The names of the options of `exec` and `attach`, and what kubelets call them.
const STREAMS: [(&str, &str); 4] =
    [("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty")];

/// GET or POST of `exec`, `attach` or `portforward`.
pub(crate) async fn streams(
    api: &Arc<Api>,
    call: &Call,
    mut request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let resource = call.target.resource;
    let stored = api.store.get(resource.id, &call.key());
    let pod = stored.ok_or_else(|| Failure::not_found(resource, call.name()))?.value();
    let path = path_of(call, &pod)?;
    let node = pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
    if node.is_empty() {
        return Err(Failure::bad_request(format!(
            "pod {} does not have a host assigned",
            call.name()
        )));
    }
    if request.headers().get(header::UPGRADE).is_none() {
        return Err(Failure::bad_request("Upgrade request required"));
    }
    let nodes = api.registry.core("nodes");
    let node_object =
        api.store.get(nodes.id, node).ok_or_else(|| Failure::not_found(nodes, node))?.value();
    let (connection, host) = logs::connect(api, &node_object)
        .await
        .map_err(|error| Failure::internal(format!("error dialing backend: {error}")))?;
    let answer = ask(connection, &host, &path, call)
        .await
        .map_err(|error| Failure::internal(format!("error sending request: {error}")))?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(answer).await);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for name in PASSED_ON {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    let (client, kubelet) = (hyper::upgrade::on(&mut request), hyper::upgrade::on(answer));
    let stop = api.stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = join(client, kubelet) => {}
            () = stop.cancelled() => {}
        }
    });
    Ok(response)
}

async fn join(client: OnUpgrade, kubelet: OnUpgrade) {
    let joined = async {
        let (client, kubelet) = tokio::try_join!(client, kubelet)?;
        let (mut client, mut kubelet) = (TokioIo::new(client), TokioIo::new(kubelet));
        tokio::io::copy_bidirectional(&mut client, &mut kubelet).await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    };
    if let Err(error) = joined.await {
        tracing::debug!(
            error = &*error as &dyn std::error::Error,
            "a client of a kubelet broke off"
        );
    }
}

/// What the kubelet refuses is told as it says it.
async fn refused(answer: Response<Incoming>) -> Failure {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAXIMUM_ERROR_BYTES).collect().await;
    let text = body
        .map(|body| String::from_utf8_lossy(&body.to_bytes()).trim().to_owned())
        .unwrap_or_default();
    match status {
        StatusCode::BAD_REQUEST => Failure::bad_request(text),
        StatusCode::NOT_FOUND => Failure::not_found_because(&text),
        _ => Failure::internal(text),
    }
}

fn path_of(call: &Call, pod: &Value) -> Result<String, Failure> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let subresource = call.target.subresource.as_deref().unwrap_or_default();
    if subresource == "portforward" {
        for port in call.query.all("ports").flat_map(|ports| ports.split(',')) {
            query.append_pair("port", port);
        }
        let query = query.finish();
        return Ok(format!("/portForward/{}/{}?{query}", call.namespace(), call.name()));
    }
    let container = logs::container_of(call, pod)?;
    for (name, other) in STREAMS {
        if call.query.flag(name) {
            query.append_pair(other, "1");
        }
    }
    for word in call.query.all("command") {
        query.append_pair("command", word);
    }
    let query = query.finish();
    Ok(format!("/{subresource}/{}/{}/{container}?{query}", call.namespace(), call.name()))
}

async fn ask(
    connection: TlsStream<TcpStream>,
    host: &str,
    path: &str,
    call: &Call,
) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(connection)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a connection to a kubelet ended"
            );
        }
    });
    let method = if call.method == Method::GET { Method::GET } else { Method::POST };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host)
        .body(Empty::<Bytes>::new())?;
    for name in PASSED_ON {
        for value in call.headers.get_all(&name) {
            request.headers_mut().append(name.clone(), value.clone());
        }
    }
    Ok(sender.send_request(request).await?)
}
