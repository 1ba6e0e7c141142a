//! Commands over a WebSocket whose messages are larger than clients make them, written out here.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::{cluster::Cluster, spdy::connect};

/// Counts what it is sent.
async fn count(cluster: &Cluster) -> TlsStream<TcpStream> {
    let mut connection = connect(cluster).await;
    let request = format!(
        "GET /api/v1/namespaces/default/pods/idle/exec?stdin=true&stdout=true&command=wc&command=-c HTTP/1.1\r\n\
         Host: api\r\nAuthorization: Bearer {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
        cluster.administrator_token()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    connection
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind, 0x80 | 127];
    frame.extend((content.len() as u64).to_be_bytes());
    // A mask that changes nothing.
    frame.extend([0; 4]);
    frame.extend_from_slice(content);
    frame
}

/// All that is said up to the end of a connection, however that comes.
async fn rest(mut connection: TlsStream<TcpStream>) -> String {
    let mut said = Vec::new();
    while let Ok(byte) = connection.read_u8().await {
        said.push(byte);
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn what_goes_in_may_be_text() {
    let cluster = Cluster::start().await;
    cluster.run("idle", "echo up; exec sleep 100000", |_| {}).await;
    cluster.wait_log("idle", "up").await;
    let mut connection = count(&cluster).await;
    let messages = [message(TEXT, b"\0seven\n\n"), message(BINARY, &[255, 0])].concat();
    connection.write_all(&messages).await.unwrap();
    let said = rest(connection).await;
    assert!(said.contains("7\n"), "{said:?}");
}

#[tokio::test]
async fn a_message_may_be_large_but_not_very_large() {
    let cluster = Cluster::start().await;
    cluster.run("idle", "echo up; exec sleep 100000", |_| {}).await;
    cluster.wait_log("idle", "up").await;
    for (size, is_taken) in [(1 << 19, true), (2 << 20, false)] {
        let mut connection = count(&cluster).await;
        let messages = [message(BINARY, &vec![0; size + 1]), message(BINARY, &[255, 0])].concat();
        // The kubelet may have gone in the middle of it.
        let written = connection.write_all(&messages).await;
        assert!(written.is_ok() || !is_taken, "{written:?}");
        let said = rest(connection).await;
        assert_eq!(said.contains(&format!("{size}\n")), is_taken, "{said:?}");
    }
}
