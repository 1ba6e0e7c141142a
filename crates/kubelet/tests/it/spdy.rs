//! Commands and ports over SPDY/3.1, as older clients speak it: written out here, so that the server's own code is not
//! its own witness.

use std::sync::Arc;

use flate2::{Compress, Compression, FlushCompress};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::cluster::Cluster;

const OPEN: u16 = 1;
const REPLY: u16 = 2;
const GO_AWAY: u16 = 7;

struct Client {
    connection: TlsStream<TcpStream>,
    headers: Compress,
}

/// What the server sends that is data, by stream, until it goes away.
#[derive(Default)]
struct Said {
    replies: Vec<u32>,
    data: std::collections::BTreeMap<u32, Vec<u8>>,
    ended: Vec<u32>,
}

async fn connect(cluster: &Cluster) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let authority = cluster.authority();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = cluster.address();
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::from(address.ip());
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap()
}

impl Client {
    /// Asks for SPDY; the head of the answer, and the client if it was taken.
    async fn open(cluster: &Cluster, path: &str, protocol: &str) -> (String, Self) {
        let mut connection = connect(cluster).await;
        let request = format!(
            "POST /api/v1/namespaces/default/pods/{path} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n\
             Content-Length: 0\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: {protocol}\r\n\r\n",
            cluster.administrator_token()
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.unwrap());
        }
        let headers = Compress::new(Compression::fast(), true);
        (String::from_utf8(head).unwrap().to_lowercase(), Self { connection, headers })
    }

    async fn send(&mut self, first: u32, flags: u8, body: &[u8]) {
        let [_, x, y, z] = u32::try_from(body.len()).unwrap().to_be_bytes();
        let mut frame = first.to_be_bytes().to_vec();
        frame.extend([flags, x, y, z]);
        frame.extend_from_slice(body);
        self.connection.write_all(&frame).await.unwrap();
        self.connection.flush().await.unwrap();
    }

    async fn stream(&mut self, number: u32, headers: &[(&str, &str)]) {
        let mut text = u32::try_from(headers.len()).unwrap().to_be_bytes().to_vec();
        for word in headers.iter().flat_map(|(name, value)| [name, value]) {
            text.extend(u32::try_from(word.len()).unwrap().to_be_bytes());
            text.extend_from_slice(word.as_bytes());
        }
        let mut block = Vec::with_capacity(1024);
        self.headers.compress_vec(&text, &mut block, FlushCompress::Sync).unwrap();
        let mut body = number.to_be_bytes().to_vec();
        body.extend([0; 6]);
        body.extend(block);
        self.send(0x8003_0000 | u32::from(OPEN), 0, &body).await;
    }

    async fn hear(&mut self) -> Said {
        let mut said = Said::default();
        loop {
            let first = self.connection.read_u32().await.unwrap();
            let sizes = self.connection.read_u32().await.unwrap();
            let mut body = vec![0; usize::try_from(sizes & 0x00ff_ffff).unwrap()];
            self.connection.read_exact(&mut body).await.unwrap();
            let is = |kind: u16| first == 0x8003_0000 | u32::from(kind);
            if first & 0x8000_0000 == 0 {
                said.data.entry(first).or_default().extend(body);
                if sizes >> 24 == 1 {
                    said.ended.push(first);
                }
            } else if is(REPLY) {
                said.replies.push(u32::from_be_bytes(body[..4].try_into().unwrap()));
            } else if is(GO_AWAY) {
                return said;
            } else {
                panic!("an unexpected frame {first:x}");
            }
        }
    }
}

#[tokio::test]
async fn a_command_takes_its_input_and_says_how_it_ended() {
    let cluster = Cluster::start().await;
    cluster.run("idle", "echo up; exec sleep 100000", |_| {}).await;
    cluster.wait_log("idle", "up").await;
    let path = "idle/exec?container=main&stdin=true&stdout=true&stderr=true&command=sh&command=-c&\
                command=tr+a-z+A-Z%3B+echo+done+%3E%262%3B+exit+3";
    let (head, mut client) = Client::open(&cluster, path, "v4.channel.k8s.io").await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("upgrade: spdy/3.1\r\n"), "{head}");
    assert!(head.contains("x-stream-protocol-version: v4.channel.k8s.io\r\n"), "{head}");
    for (number, kind) in [(1, "error"), (3, "stdin"), (5, "stdout"), (7, "stderr")] {
        client.stream(number, &[("streamType", kind)]).await;
    }
    client.send(3, 0, b"hel").await;
    client.send(3, 1, b"lo\n").await;
    let said = client.hear().await;
    assert_eq!(said.replies, [1, 3, 5, 7]);
    assert_eq!((&said.data[&5][..], &said.data[&7][..]), (&b"HELLO\n"[..], &b"done\n"[..]));
    let status: serde_json::Value = serde_json::from_slice(&said.data[&1]).unwrap();
    assert_eq!(
        (&status["reason"], &status["details"]["causes"][0]["message"]),
        (&"NonZeroExitCode".into(), &"3".into())
    );
    assert_eq!(said.ended.last(), Some(&1));
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_told_and_another_is_reached() {
    let cluster = Cluster::start().await;
    let server = "import socket; s = socket.create_server(('127.0.0.1', 7000)); print('up', flush=True); c, _ = s.accept(); \
                  c.sendall(c.recv(100).upper()); c.close()";
    cluster
        .run("server", "", |pod| {
            pod["spec"]["containers"][0]["command"] = serde_json::json!(["python3", "-c", server]);
        })
        .await;
    cluster.wait_log("server", "up").await;
    let (head, mut client) =
        Client::open(&cluster, "server/portforward", "portforward.k8s.io").await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    for (number, port, request) in [(1, "7001", "0"), (5, "7000", "1")] {
        for (number, kind) in [(number, "error"), (number + 2, "data")] {
            let headers = [("streamType", kind), ("port", port), ("requestID", request)];
            client.stream(number, &headers).await;
        }
    }
    client.send(7, 1, b"hello").await;
    // The server ends with its only connection, and the session with the pod.
    let said = client.hear().await;
    assert_eq!(said.data[&7], b"HELLO");
    let problem = String::from_utf8_lossy(&said.data[&1]).into_owned();
    assert!(problem.contains("failed to connect to localhost:7001"), "{problem}");
}

#[tokio::test]
async fn a_protocol_that_is_not_known_is_refused() {
    let cluster = Cluster::start().await;
    cluster.run("idle", "echo up; exec sleep 100000", |_| {}).await;
    cluster.wait_log("idle", "up").await;
    let path = "idle/exec?stdout=true&command=true";
    let (head, _) = Client::open(&cluster, path, "v9.channel.k8s.io").await;
    assert!(!head.starts_with("http/1.1 101 "), "{head}");
    let (head, _) = Client::open(&cluster, "idle/attach?stdout=true", "v4.channel.k8s.io").await;
    assert!(head.starts_with("http/1.1 400 "), "{head}");
}
