//! Watches as WebSockets, spoken by hand as the clients of Flink speak them.

use http::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::harness::{Cluster, short};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

struct Socket(TlsStream<TcpStream>);

impl Socket {
    async fn open(cluster: &Cluster, query: &str) -> Self {
        let mut stream = cluster.connect(&[b"http/1.1"]).await;
        let (token, address) = (cluster.admin_token(), cluster.address);
        let request = format!(
            "GET {CONFIG_MAPS}?{query} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Origin: https://{address}\r\nUser-Agent: flink\r\nAccept-Encoding: gzip\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        Self(stream)
    }

    /// One frame: its kind and its content.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let (first, second) = (self.0.read_u8().await.unwrap(), self.0.read_u8().await.unwrap());
        assert_eq!(first & 0x80, 0x80, "a frame that is not final");
        assert_eq!(second & 0x80, 0, "a masked frame from the server");
        let length = match second {
            126 => u64::from(self.0.read_u16().await.unwrap()),
            127 => self.0.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut content = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut content).await.unwrap();
        (first & 0x0f, content)
    }

    async fn event(&mut self) -> Value {
        let (kind, content) = self.frame().await;
        assert_eq!(kind, TEXT);
        assert_eq!(content.last(), Some(&b'\n'));
        serde_json::from_slice(&content).unwrap()
    }

    async fn send(&mut self, kind: u8, content: &[u8]) {
        let mask = [1, 2, 3, 4];
        let mut frame = vec![0x80 | kind, 0x80 | u8::try_from(content.len()).unwrap()];
        frame.extend(mask);
        frame.extend(content.iter().enumerate().map(|(position, byte)| byte ^ mask[position % 4]));
        self.0.write_all(&frame).await.unwrap();
        self.0.flush().await.unwrap();
    }
}

async fn create(cluster: &Cluster, name: &str, size: usize) {
    let object = json!({"metadata": {"name": name, "labels": {"app": "x"}}, "data": {"d": "x".repeat(size)}});
    cluster.must(Method::POST, CONFIG_MAPS, &object).await;
}

#[tokio::test]
async fn each_event_is_one_text_message_and_pings_are_answered() {
    let cluster = Cluster::start().await;
    create(&cluster, "a", 1).await;
    let mut socket = Socket::open(
        &cluster,
        "labelSelector=app&resourceVersion=0&allowWatchBookmarks=true&watch=true",
    )
    .await;
    assert_eq!(short(&socket.event().await), "ADDED a");
    assert_eq!(short(&socket.event().await), "BOOKMARK");
    socket.send(PING, b"").await;
    assert_eq!(socket.frame().await, (PONG, Vec::new()));
    create(&cluster, "b", 200_000).await;
    let event = socket.event().await;
    assert_eq!(event["object"]["data"]["d"].as_str().unwrap().len(), 200_000);
    socket.send(CLOSE, &1000u16.to_be_bytes()).await;
    let (kind, content) = socket.frame().await;
    assert_eq!((kind, &content[..2]), (CLOSE, &1000u16.to_be_bytes()[..]));
}

#[tokio::test]
async fn the_server_closes_normally_when_the_time_is_up() {
    let cluster = Cluster::start().await;
    let mut socket = Socket::open(&cluster, "watch=true&timeoutSeconds=1&labelSelector=app").await;
    let (kind, content) = socket.frame().await;
    assert_eq!((kind, &content[..2]), (CLOSE, &1000u16.to_be_bytes()[..]));
}

#[tokio::test]
async fn an_expired_revision_is_an_error_event() {
    let cluster = Cluster::start_with(|settings| settings.watch_window = 1).await;
    for name in ["a", "b", "c"] {
        create(&cluster, name, 1).await;
    }
    let mut socket = Socket::open(&cluster, "watch=true&resourceVersion=1").await;
    let event = socket.event().await;
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
}
