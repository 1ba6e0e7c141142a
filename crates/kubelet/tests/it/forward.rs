//! Ports of pods, as the `kube` crate forwards them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cluster::Cluster;

/// Answers each connection to the pod's own loopback with what it was sent, in capitals.
pub(crate) const SERVER: &str = "import socketserver
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line.upper())
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
with Server(('127.0.0.1', 7000), Answer) as server:
    print('up', flush=True)
    server.serve_forever()";

#[tokio::test]
async fn a_port_of_a_pods_own_loopback_is_reached() {
    let cluster = Cluster::start().await;
    cluster
        .run("server", "", |pod| {
            pod["spec"]["containers"][0]["command"] = serde_json::json!(["python3", "-c", SERVER]);
        })
        .await;
    cluster.wait_log("server", "up").await;
    let mut forwarder = cluster.pods().portforward("server", &[7000, 7001]).await.unwrap();
    let mut stream = forwarder.take_stream(7000).unwrap();
    stream.write_all(b"hello\n").await.unwrap();
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HELLO\n");
    let problem = forwarder.take_error(7001).unwrap().await.expect("an error");
    assert!(problem.contains("failed to connect to localhost:7001"), "{problem}");
    // The connection goes with the pod.
    cluster.delete("server", 0).await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
    cluster.wait_gone("server").await;
    let refused = cluster.pods().portforward("server", &[7000]).await.err().unwrap().to_string();
    assert!(refused.contains("404"), "{refused}");
}
