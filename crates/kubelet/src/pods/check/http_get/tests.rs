use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(40);

type Answers = Arc<dyn Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync>;

struct Server {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<http::request::Parts>>>,
}

/// TLS with a certificate for another name that nobody vouches for.
fn acceptor(protocols: &[&[u8]]) -> TlsAcceptor {
    let certified = rcgen::generate_simple_self_signed(["elsewhere.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config).into()
}

impl Server {
    async fn start(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<http::request::Parts>>> = Arc::default();
        let (answer, notes): (Answers, _) = (Arc::new(answer), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (tls, answer, notes) = (tls.clone(), Arc::clone(&answer), Arc::clone(&notes));
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let response = answer(&request);
                        notes.lock().unwrap().push(request.into_parts().0);
                        async { Ok::<_, Infallible>(response) }
                    });
                    let server = auto::Builder::new(TokioExecutor::new());
                    // Clients go when they have what they want.
                    if let Some(tls) = tls {
                        let Ok(stream) = tls.accept(connection).await else { return };
                        let _ = server.serve_connection(TokioIo::new(stream), service).await;
                    } else {
                        let _ = server.serve_connection(TokioIo::new(connection), service).await;
                    }
                });
            }
        });
        Self { address, heard }
    }

    async fn plain(status: u16) -> Self {
        Self::start(None, move |_| response(status, "")).await
    }

    fn heard(&self) -> Vec<http::request::Parts> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    async fn ask(&self, purpose: Purpose, action: Value) -> Result<Passed, String> {
        let dial: Dialer = Arc::new(|address| Box::pin(TcpStream::connect(address)));
        ask(self.address, &dial, purpose, action).await
    }
}

async fn ask(
    address: SocketAddr,
    dial: &Dialer,
    purpose: Purpose,
    mut action: Value,
) -> Result<Passed, String> {
    action["port"] = address.port().into();
    let action = serde_json::from_value(action).unwrap();
    Get { action: &action, purpose, address, dial, longest: LONG }.run().await
}

fn response(status: u16, location: &str) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    if !location.is_empty() {
        response = response.header(header::LOCATION, location);
    }
    response.body(Full::new(Bytes::from_static(b"words"))).unwrap()
}

#[tokio::test]
async fn a_certificate_of_anybody_is_taken() {
    for (offered, spoken) in [
        (&[&b"h2"[..], b"http/1.1"][..], Version::HTTP_2),
        (&[b"http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let server = Server::start(Some(acceptor(offered)), |_| response(200, "")).await;
        let asked = server.ask(Purpose::Probe, json!({"scheme": "HTTPS", "path": "/healthz"}));
        assert_eq!(asked.await, Ok(Passed::Plainly));
        let heard = server.heard();
        assert_eq!((heard.len(), heard[0].version), (1, spoken));
        assert_eq!(heard[0].uri.path(), "/healthz");
    }
}

#[tokio::test]
async fn a_name_that_is_given_is_asked_for_over_http2_too() {
    let server = Server::start(Some(acceptor(&[b"h2"])), |_| response(200, "")).await;
    let headers = json!([{"name": "Host", "value": "shop.test"}]);
    let asked = server.ask(Purpose::Probe, json!({"scheme": "HTTPS", "httpHeaders": headers}));
    assert_eq!(asked.await, Ok(Passed::Plainly));
    assert_eq!(server.heard()[0].uri.authority().unwrap(), "shop.test");
}

#[tokio::test]
async fn headers_are_those_of_the_real_kubelet_unless_the_pod_says_otherwise() {
    let server = Server::plain(200).await;
    let sent = async |purpose, headers: Value| {
        server.ask(purpose, json!({"path": "/x", "httpHeaders": headers})).await.unwrap();
        let headers = server.heard().remove(0).headers;
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let mut all: Vec<_> =
            headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        all.sort();
        all
    };
    let host = server.address.to_string();
    let expect = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(
        sent(Purpose::Probe, json!([])).await,
        expect(&[
            ("accept", "*/*"),
            ("connection", "close"),
            ("host", &host),
            ("user-agent", "kube-probe/1.33")
        ])
    );
    let given = json!([
        {"name": "X-Twice", "value": "a"}, {"name": "x-twice", "value": "b"},
        {"name": "HOST", "value": "shop.test"}, {"name": "Accept", "value": ""},
        {"name": "User-Agent", "value": "me"}, {"name": "Content-Length", "value": "7"}]);
    assert_eq!(
        sent(Purpose::Probe, given).await,
        expect(&[
            ("connection", "close"),
            ("host", "shop.test"),
            ("user-agent", "me"),
            ("x-twice", "a"),
            ("x-twice", "b")
        ])
    );
    let hook = sent(Purpose::Hook, json!([])).await;
    assert!(hook.contains(&("user-agent".to_owned(), "kube-lifecycle/1.33".to_owned())));
}

#[tokio::test]
async fn a_path_may_have_a_query_and_lack_its_slash() {
    let server = Server::plain(200).await;
    for (path, asked) in [
        (json!("a b?c=d&e"), "/a%20b?c=d&e"),
        (json!("/x#part"), "/x"),
        (json!(null), "/"),
        (json!(""), "/"),
    ] {
        server.ask(Purpose::Probe, json!({"path": path})).await.unwrap();
        assert_eq!(server.heard()[0].uri.to_string(), asked);
    }
}

#[tokio::test]
async fn a_probe_looks_at_the_status_and_a_hook_does_not() {
    for status in [200, 204, 304, 399, 400, 503] {
        let server = Server::plain(status).await;
        let expected = match status {
            304 => Ok(Passed::Redirected("Probe terminated redirects, Response body: ".to_owned())),
            399 => Ok(Passed::Redirected(
                "Probe terminated redirects, Response body: words".to_owned(),
            )),
            400.. => Err(format!("HTTP probe failed with statuscode: {status}")),
            _ => Ok(Passed::Plainly),
        };
        assert_eq!(server.ask(Purpose::Probe, json!({})).await, expected);
        assert_eq!(server.ask(Purpose::Hook, json!({})).await, Ok(Passed::Plainly));
    }
}

#[tokio::test]
async fn an_answer_is_followed_on_the_same_host_only() {
    let secure = Server::start(Some(acceptor(&[])), |request| match request.uri().path() {
        "/down" => response(503, ""),
        _ => response(200, ""),
    })
    .await;
    let port = secure.address.port();
    let server = Server::start(None, move |request| match request.uri().path() {
        "/up" => response(302, &format!("https://127.0.0.1:{port}/fine")),
        "/down" => response(307, &format!("//127.0.0.1:{port}/down")),
        "/one/two" => response(301, "three?x=1"),
        "/away" => response(302, "http://elsewhere.test/"),
        "/nowhere" => response(302, ""),
        "/circle" => response(308, "/circle"),
        "/broken" => response(302, "http://["),
        _ => response(200, ""),
    })
    .await;
    let ask = async |path: &str| {
        let headers = json!([{"name": "Host", "value": "shop.test"}]);
        server.ask(Purpose::Probe, json!({"path": path, "httpHeaders": headers})).await
    };
    let redirected = "Probe terminated redirects, Response body: words".to_owned();

    assert_eq!(ask("/up").await, Ok(Passed::Plainly));
    let heard = secure.heard();
    let own_name = secure.address.to_string();
    assert_eq!(heard[0].headers[header::HOST], own_name, "the name of the new place");
    server.heard();
    assert_eq!(ask("/one/two").await, Ok(Passed::Plainly));
    let heard = server.heard();
    assert_eq!(heard[1].uri, "/one/three?x=1");
    assert_eq!(heard[1].headers[header::HOST], "shop.test", "the same place");
    assert_eq!(ask("/away").await, Ok(Passed::Redirected(redirected.clone())));
    assert_eq!(ask("/nowhere").await, Ok(Passed::Redirected(redirected)));
    server.heard();
    let circle = format!("Get \"http://{}/circle\": stopped after 10 redirects", server.address);
    assert_eq!(ask("/circle").await, Err(circle));
    assert_eq!(server.heard().len(), 10);
    let problem = ask("/broken").await.unwrap_err();
    assert!(
        problem.contains("/broken\": failed to parse Location header \"http://[\""),
        "{problem}"
    );
    // The scheme stays where only it is left out.
    let problem = ask("/down").await.unwrap_err();
    assert!(problem.contains(&format!("Get \"http://127.0.0.1:{port}/down\": ")), "{problem}");
}

#[tokio::test]
async fn where_tls_is_missing_a_probe_fails_and_a_hook_goes_without() {
    let server = Server::plain(500).await;
    let address = server.address;
    let headers = json!([{"name": "Authorization", "value": "secret"}]);
    let action = json!({"scheme": "HTTPS", "path": "/x", "httpHeaders": headers});
    let problem =
        format!("Get \"https://{address}/x\": http: server gave HTTP response to HTTPS client");
    assert_eq!(server.ask(Purpose::Probe, action.clone()).await, Err(problem));
    server.heard();
    let remark = format!(
        "request to HTTPS lifecycle hook {address} got HTTP response, retry with HTTP succeeded"
    );
    assert_eq!(server.ask(Purpose::Hook, action).await, Ok(Passed::WithoutTls(remark)));
    let heard = server.heard();
    assert_eq!((heard.len(), heard[0].uri.path()), (1, "/x"));
    assert!(!heard[0].headers.contains_key(header::AUTHORIZATION));
}

#[tokio::test]
async fn the_words_of_a_failed_connection_are_those_of_go() {
    let address: SocketAddr = "10.244.0.9:8080".parse().unwrap();
    let refused = nix::errno::Errno::ECONNREFUSED as i32;
    let dial: Dialer =
        Arc::new(move |_| Box::pin(async move { Err(std::io::Error::from_raw_os_error(refused)) }));
    let problem =
        "Get \"http://10.244.0.9:8080/\": dial tcp 10.244.0.9:8080: connect: connection refused";
    assert_eq!(ask(address, &dial, Purpose::Probe, json!({})).await, Err(problem.to_owned()));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let dial: Dialer = Arc::new(|address| Box::pin(TcpStream::connect(address)));
    let problem = ask(address, &dial, Purpose::Probe, json!({})).await.unwrap_err();
    let reset = "connection reset by peer";
    assert!(
        problem == format!("Get \"http://{address}/\": EOF") || problem.contains(reset),
        "{problem}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dial: Dialer = Arc::new(|address| Box::pin(TcpStream::connect(address)));
    for scheme in ["http", "https"] {
        let problem = format!(
            "Get \"{scheme}://{address}/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        );
        let asked = ask(address, &dial, Purpose::Probe, json!({"scheme": scheme.to_uppercase()}));
        assert_eq!(asked.await, Err(problem));
    }
}
