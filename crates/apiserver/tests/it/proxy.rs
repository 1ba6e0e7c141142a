//! The proxy to services and pods.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, extract::Request, routing::any};
use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::harness::Cluster;

const DEFAULT: &str = "/api/v1/namespaces/default";
const POD_ADDRESS: &str = "10.244.0.7";

/// A server in the place of the pod: says what it was asked, and streams what it is sent.
async fn backend() -> SocketAddr {
    async fn answer(request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        match parts.uri.path() {
            "/echo" => Response::new(Body::from_stream(body.into_data_stream())),
            "/moved" => Response::builder()
                .status(302)
                .header("location", "/jobs/1")
                .body(Body::empty())
                .unwrap(),
            _ => {
                let header = |name: &str| {
                    parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
                };
                let said = json!({
                    "method": parts.method.as_str(),
                    "uri": parts.uri.to_string(),
                    "host": header("host"),
                    "authorization": header("authorization"),
                });
                Response::builder()
                    .status(418)
                    .header("x-from", "pod")
                    .body(Body::from(said.to_string()))
                    .unwrap()
            }
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(any(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn start() -> Cluster {
    let backend = backend().await;
    let cluster = Cluster::start_with(|settings| {
        settings.dialer = Arc::new(move |address: SocketAddr| {
            Box::pin(async move {
                if address == SocketAddr::new(POD_ADDRESS.parse().unwrap(), 8081) {
                    TcpStream::connect(backend).await
                } else {
                    Err(std::io::Error::new(
                        std::io::ErrorKind::ConnectionRefused,
                        "connect: connection refused",
                    ))
                }
            })
        });
    })
    .await;
    let service = json!({"metadata": {"name": "s"}, "spec": {"ports": [{"name": "rest", "port": 80, "targetPort": 8081}]}});
    cluster.must(Method::POST, &format!("{DEFAULT}/services"), &service).await;
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [
        {"name": "c", "image": "i", "ports": [{"containerPort": 8081}]}
    ]}});
    cluster.must(Method::POST, &format!("{DEFAULT}/pods"), &pod).await;
    let status = json!({"status": {"phase": "Running", "podIP": POD_ADDRESS, "podIPs": [{"ip": POD_ADDRESS}]}});
    cluster.must(Method::PATCH, &format!("{DEFAULT}/pods/p/status"), &status).await;
    cluster
}

async fn set_endpoints(cluster: &Cluster, address: &Value) {
    let endpoints = json!({"metadata": {"name": "s"}, "subsets": [
        {"addresses": [address], "ports": [{"name": "rest", "port": 8081}]}
    ]});
    cluster.must(Method::PUT, &format!("{DEFAULT}/endpoints/s"), &endpoints).await;
}

fn with_target() -> Value {
    json!({"ip": POD_ADDRESS, "targetRef": {"kind": "Pod", "name": "p", "namespace": "default"}})
}

#[tokio::test]
async fn every_method_path_and_query_reaches_the_pod_as_it_was_sent() {
    let cluster = start().await;
    set_endpoints(&cluster, &with_target()).await;
    for subject in
        ["services/s:rest", "services/s:80", "services/http:s:rest", "pods/p", "pods/p:8081"]
    {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let path = format!("{DEFAULT}/{subject}/proxy/jobs//a%2Fb?mode=cancel&x=%20y");
            let (status, said) = cluster.call(method.clone(), &path, &json!({"x": 1})).await;
            assert_eq!(status.as_u16(), 418, "{subject}: {said}");
            assert_eq!(said["method"], method.as_str());
            assert_eq!(said["uri"], "/jobs//a%2Fb?mode=cancel&x=%20y");
            assert_eq!(said["host"], format!("{POD_ADDRESS}:8081"));
            assert_eq!(said["authorization"], Value::Null);
        }
    }
}

#[tokio::test]
async fn bodies_are_streamed_both_ways() {
    let cluster = start().await;
    set_endpoints(&cluster, &with_target()).await;
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<Bytes>();
    let body =
        tokio_stream::wrappers::UnboundedReceiverStream::new(receiver).map(Ok::<_, Infallible>);
    let request = http::Request::post(format!("{DEFAULT}/services/s:rest/proxy/echo"))
        .body(Body::from_stream(body))
        .unwrap();
    let service = cluster.server.in_process("admin", &["system:masters"]);
    let response = service.oneshot(request).await.unwrap();
    let mut answer = response.into_body();
    for part in ["one", "two"] {
        sender.send(Bytes::from(part)).unwrap();
        let frame = answer.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), part);
    }
    drop(sender);
    assert!(answer.frame().await.is_none());
}

#[tokio::test]
async fn a_redirect_stays_behind_the_proxy() {
    let cluster = start().await;
    set_endpoints(&cluster, &with_target()).await;
    let path = format!("{DEFAULT}/services/s:rest/proxy");
    for (asked, code, location) in [
        (format!("{path}/moved"), 302, format!("{path}/jobs/1")),
        (format!("{path}?a=b"), 301, format!("{path}/?a=b")),
    ] {
        let service = cluster.server.in_process("admin", &["system:masters"]);
        let response =
            service.oneshot(http::Request::get(asked).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), code);
        assert_eq!(response.headers()["location"].to_str().unwrap(), location);
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_in_the_words_of_the_real_server() {
    let cluster = start().await;
    let get = async |subject: &str| {
        let (status, answer) = cluster.get(&format!("{DEFAULT}/{subject}/proxy/")).await;
        (status.as_u16(), answer["message"].as_str().unwrap_or_default().to_owned())
    };
    let told = |code: u16, message: &str| (code, message.to_owned());
    assert_eq!(get("services/x").await, told(404, "services \"x\" not found"));
    assert_eq!(get("services/s").await, told(404, "endpoints \"s\" not found"));
    set_endpoints(&cluster, &json!({"ip": POD_ADDRESS})).await;
    assert_eq!(
        get("services/s:rest").await,
        told(503, "no endpoints available for service \"s:rest\"")
    );
    set_endpoints(&cluster, &with_target()).await;
    assert_eq!(get("services/s").await, told(503, "no endpoints available for service \"s\""));
    assert_eq!(
        get("services/s:nope").await,
        told(503, "no endpoints available for service \"s:nope\"")
    );
    assert_eq!(get("services/s:9").await, told(503, "no service port 9 found for service \"s\""));
    let (code, message) = get("pods/p:9").await;
    assert_eq!(code, 503);
    assert!(
        message.starts_with("error trying to reach service: dial tcp 10.244.0.7:9: "),
        "{message}"
    );
    cluster
        .must(
            Method::PATCH,
            &format!("{DEFAULT}/pods/p/status"),
            &json!({"status": {"podIP": "127.0.0.1"}}),
        )
        .await;
    assert_eq!(get("pods/p").await, told(400, "address not allowed"));
    let endpoints =
        json!({"metadata": {"name": "s"}, "subsets": [{"addresses": [{"ip": "127.0.0.1"}]}]});
    let (status, answer) =
        cluster.call(Method::PUT, &format!("{DEFAULT}/endpoints/s"), &endpoints).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("may not be in the loopback range (127.0.0.0/8, ::1/128)")
    );
}
