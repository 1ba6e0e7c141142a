use std::{
    convert::Infallible,
    io,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use http::Response;
use http_body_util::combinators::BoxBody;
use hyper::{server::conn, service::service_fn};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::mpsc,
};

use super::*;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(40);

type Body = BoxBody<Bytes, Infallible>;
type Calls = mpsc::UnboundedReceiver<(http::request::Parts, Bytes)>;

fn dialer() -> Dialer {
    Arc::new(|address| Box::pin(TcpStream::connect(address)))
}

async fn ask(address: SocketAddr, service: &str) -> Result<Passed, String> {
    Call { address, service, dial: &dialer(), longest: LONG }.run().await
}

/// Answers everything so, or nothing at all.
async fn serve(
    answer: impl Fn() -> Option<Response<Body>> + Send + Sync + 'static,
) -> (SocketAddr, Calls) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (notes, calls) = mpsc::unbounded_channel();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (answer, notes) = (Arc::clone(&answer), notes.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (answer, notes) = (Arc::clone(&answer), notes.clone());
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    // The test may have what it wants.
                    let _ = notes.send((head, body));
                    match answer() {
                        Some(answer) => Ok::<_, Infallible>(answer),
                        None => std::future::pending().await,
                    }
                }
            });
            let server = conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(connection), service));
        }
    });
    (address, calls)
}

/// An answer of gRPC: a message, and then how it went.
fn response(message: &'static [u8], trailers: &[(&'static str, &'static str)]) -> Response<Body> {
    let trailers: HeaderMap = trailers
        .iter()
        .map(|(name, value)| {
            (header::HeaderName::from_static(name), HeaderValue::from_static(value))
        })
        .collect();
    let trailers = async { (!trailers.is_empty()).then_some(Ok(trailers)) };
    let body = Full::new(Bytes::from_static(message)).with_trailers(trailers).boxed();
    Response::builder().header(header::CONTENT_TYPE, "application/grpc+proto").body(body).unwrap()
}

async fn result(
    message: &'static [u8],
    trailers: &'static [(&'static str, &'static str)],
) -> Result<Passed, String> {
    let (address, _calls) = serve(move || Some(response(message, trailers))).await;
    ask(address, "").await
}

const GOOD: &[(&str, &str)] = &[("grpc-status", "0")];

#[tokio::test]
async fn the_health_of_a_service_is_asked_for() {
    let (address, mut calls) = serve(|| Some(response(&[0, 0, 0, 0, 2, 8, 1], GOOD))).await;
    assert_eq!(ask(address, "db").await, Ok(Passed::Plainly));
    let (head, body) = calls.recv().await.unwrap();
    assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/grpc.health.v1.Health/Check"));
    assert_eq!(head.uri.authority().unwrap().as_str(), address.to_string());
    let headers: Vec<_> = ["content-type", "te", "user-agent"]
        .map(|name| head.headers[name].to_str().unwrap())
        .into();
    assert_eq!(headers, ["application/grpc", "trailers", "kube-probe/1.33"]);
    assert_eq!(body, [0, 0, 0, 0, 4, 0x0a, 2, b'd', b'b'][..]);
}

#[tokio::test]
async fn only_who_serves_is_well() {
    for (message, status) in [
        (&[0, 0, 0, 0, 2, 8, 2][..], "NOT_SERVING"),
        (&[0, 0, 0, 0, 2, 8, 3], "SERVICE_UNKNOWN"),
        (&[0, 0, 0, 0, 0], "UNKNOWN"),
        (&[0, 0, 0, 0, 2, 8, 9], "9"),
    ] {
        let problem = format!("service unhealthy (responded with \"{status}\")");
        assert_eq!(result(message, GOOD).await, Err(problem));
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_the_words_of_the_real_kubelet() {
    let unimplemented = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): no Check, 100% sure";
    let failed = |result| format!("error: health rpc probe failed: rpc error: code = {result}");
    for (trailers, problem) in [
        (
            &[("grpc-status", "12"), ("grpc-message", "no Check, 100%25 sure")][..],
            unimplemented.to_owned(),
        ),
        (
            &[("grpc-status", "5"), ("grpc-message", "unknown service")],
            failed("NotFound desc = unknown service"),
        ),
        (&[("grpc-status", "99")], failed("Code(99) desc = ")),
        (&[("grpc-status", "-1")], failed("Code(-1) desc = ")),
        (&[("grpc-status", "well")], failed("Internal desc = transport: malformed grpc-status")),
        (&[("grpc-status", "4")], "timeout: health rpc did not complete within 40s".to_owned()),
        (&[], failed("Internal desc = server closed the stream without sending trailers")),
        (GOOD, failed("Internal desc = grpc: the answer cannot be read")),
    ] {
        assert_eq!(result(&[], trailers).await, Err(problem));
    }
}

#[tokio::test]
async fn a_result_may_come_without_a_message() {
    let (address, _calls) = serve(|| {
        let mut response = response(&[], &[]);
        response.headers_mut().insert("grpc-status", HeaderValue::from_static("5"));
        Some(response)
    })
    .await;
    let problem = "error: health rpc probe failed: rpc error: code = NotFound desc = ";
    assert_eq!(ask(address, "").await, Err(problem.to_owned()));
}

#[tokio::test]
async fn another_server_of_http2_is_told_apart() {
    let odd = |status: u16, kind: &'static str| {
        serve(move || {
            let mut response = response(b"<html>", &[]);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            match kind {
                "" => drop(response.headers_mut().remove(header::CONTENT_TYPE)),
                kind => drop(
                    response
                        .headers_mut()
                        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind)),
                ),
            }
            Some(response)
        })
    };
    let failed = "error: health rpc probe failed: rpc error: code";
    for (status, kind, problem) in [
        (
            404,
            "text/html",
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unexpected HTTP status code received from server: 404 (Not Found); transport: received unexpected content-type \"text/html\"".to_owned(),
        ),
        (
            200,
            "application/grpc-web",
            format!("{failed} = Unknown desc = transport: received unexpected content-type \"application/grpc-web\""),
        ),
        (
            503,
            "",
            format!("{failed} = Unavailable desc = unexpected HTTP status code received from server: 503 (Service Unavailable); malformed header: missing HTTP content-type"),
        ),
    ] {
        let (address, _calls) = odd(status, kind).await;
        assert_eq!(ask(address, "").await, Err(problem));
    }
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let (address, mut calls) = serve(|| None).await;
    let asked = tokio::spawn(async move { ask(address, "").await });
    calls.recv().await.unwrap();
    tokio::time::pause();
    let problem = "timeout: health rpc did not complete within 40s";
    assert_eq!(asked.await.unwrap(), Err(problem.to_owned()));
}

/// Says the same to everyone who connects.
async fn say(words: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::io::AsyncWriteExt::write_all(&mut connection, words).await.unwrap();
            open.push(connection);
        }
    });
    address
}

#[tokio::test(start_paused = true)]
async fn who_speaks_no_http2_is_no_server() {
    for words in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28"] {
        let address = say(words).await;
        let problem = format!(
            "timeout: failed to connect service \"{address}\" within 40s: context deadline exceeded"
        );
        assert_eq!(ask(address, "").await, Err(problem));
    }
}

#[tokio::test]
async fn a_connection_is_tried_again_while_there_is_time() {
    let (address, _calls) = serve(|| Some(response(&[0, 0, 0, 0, 2, 8, 1], GOOD))).await;
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let dial: Dialer = Arc::new(move |address| {
        let refused = counted.fetch_add(1, Ordering::Relaxed) < 2;
        Box::pin(async move {
            if refused {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            // Only the pauses are skipped: what is sent takes its time.
            tokio::time::resume();
            TcpStream::connect(address).await
        })
    });
    tokio::time::pause();
    let call = Call { address, service: "", dial: &dial, longest: LONG };
    assert_eq!(call.run().await, Ok(Passed::Plainly));
    assert_eq!(tries.load(Ordering::Relaxed), 3);
}

const SERVER: &str = r#"
import sys, grpc
from concurrent.futures import ThreadPoolExecutor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
server = grpc.server(ThreadPoolExecutor(2))
if sys.argv[1] == "with":
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    servicer.set("db", health_pb2.HealthCheckResponse.NOT_SERVING)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
"#;

/// A server of the Python packages that `scripts/setup tests` installs. It ends with its input.
async fn real(health: &str) -> (Child, SocketAddr) {
    let given = std::env::var_os("FLUMEN_TEST_TOOLS").map(PathBuf::from);
    let cache =
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/flumen/test-tools");
    let tools = given.unwrap_or_else(cache).join("grpc-health-1.85.1");
    assert!(tools.is_dir(), "{} is missing: run `scripts/setup tests`", tools.display());
    let mut server = Command::new("python3")
        .args(["-c", SERVER, health])
        .env("PYTHONPATH", tools)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let port: u16 = line.trim().parse().expect("the server tells its port");
    (server, SocketAddr::from(([127, 0, 0, 1], port)))
}

#[tokio::test]
async fn a_real_server_is_understood() {
    let (_server, address) = real("with").await;
    assert_eq!(ask(address, "").await, Ok(Passed::Plainly));
    let problem = "service unhealthy (responded with \"NOT_SERVING\")";
    assert_eq!(ask(address, "db").await, Err(problem.to_owned()));
    let problem = "error: health rpc probe failed: rpc error: code = NotFound desc = ";
    assert_eq!(ask(address, "shop").await, Err(problem.to_owned()));

    let (_server, address) = real("without").await;
    let problem = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): Method not found!";
    assert_eq!(ask(address, "").await, Err(problem.to_owned()));
}
