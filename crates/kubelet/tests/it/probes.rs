//! Probes and hooks.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use kube::api::{AttachParams, LogParams};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::cluster::{Cluster, eventually};

#[tokio::test]
async fn a_pod_is_ready_when_its_probe_says_so() {
    let cluster = Cluster::start().await;
    cluster
        .run("slow", "until [ -e /tmp/go ]; do sleep 0.02; done; touch /tmp/ready; exec sleep 1000", |pod| {
            pod["spec"]["containers"][0]["readinessProbe"] =
                json!({"exec": {"command": ["/bin/sh", "-c", "test -e /tmp/ready || { echo not yet; exit 3; }"]}, "periodSeconds": 1});
            pod["spec"]["containers"][0]["lifecycle"] = json!({
                "postStart": {"exec": {"command": ["/bin/sh", "-c", "until [ -e /tmp/proceed ]; do sleep 0.02; done; touch /tmp/go"]}}});
            pod["spec"]["volumes"] = json!([{"name": "tmp", "emptyDir": {}}]);
            pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "tmp", "mountPath": "/tmp"}]);
        })
        .await;
    let pod = cluster.wait_phase("slow", "Running").await;
    let status = &pod["status"]["containerStatuses"][0];
    assert_eq!((&status["ready"], &status["started"]), (&json!(false), &json!(true)));
    let unhealthy = async || cluster.events("slow").await.remove("Unhealthy");
    let unhealthy = eventually("the probe fails", unhealthy).await;
    assert_eq!(unhealthy, "Readiness probe failed: command ended with 3: not yet");
    let uid = pod["metadata"]["uid"].as_str().unwrap();
    let volume = cluster.kubelet_directory().join("pods").join(uid).join("volumes/tmp");
    std::fs::write(volume.join("proceed"), "").unwrap();
    cluster.wait("slow", is_ready).await;
}

fn is_ready(pod: &k8s_openapi::api::core::v1::Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[tokio::test]
async fn a_container_that_does_not_answer_is_restarted() {
    let cluster = Cluster::start().await;
    cluster
        .run("deaf", "trap 'echo told to end; exit 0' TERM; while :; do sleep 0.05; done", |pod| {
            pod["spec"]["restartPolicy"] = json!("Always");
            pod["spec"]["containers"][0]["livenessProbe"] =
                json!({"httpGet": {"port": 80, "path": "/health"}, "periodSeconds": 1, "failureThreshold": 1});
            pod["spec"]["containers"][0]["lifecycle"] =
                json!({"preStop": {"exec": {"command": ["/bin/sh", "-c", "echo hook > /proc/1/fd/1"]}}});
        })
        .await;
    cluster
        .wait("deaf", |pod| {
            let statuses =
                pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
            statuses.is_some_and(|statuses| statuses[0].restart_count >= 1)
        })
        .await;
    let previous = LogParams { previous: true, ..LogParams::default() };
    assert_eq!(cluster.log("deaf", &previous).await, "hook\ntold to end\n");
    let events = cluster.events("deaf").await;
    assert!(events["Unhealthy"].contains("/health"), "{events:?}");
}

/// A server with TLS in the node's network that is well as soon as it is told so.
fn start_secure_server(cluster: &Cluster, well: Arc<AtomicBool>) -> SocketAddr {
    let certified = rcgen::generate_simple_self_signed(["elsewhere.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = cluster.network.listen_tcp("10.96.0.77:0".parse().unwrap()).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let mut stream = acceptor.accept(connection).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let status = if well.load(Ordering::Relaxed) { 200 } else { 503 };
            let answer = format!("HTTP/1.1 {status} Words\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_probe_may_ask_over_tls() {
    let cluster = Cluster::start().await;
    let well = Arc::new(AtomicBool::new(false));
    let server = start_secure_server(&cluster, Arc::clone(&well));
    cluster
        .run("secure", "exec sleep 1000", |pod| {
            pod["spec"]["containers"][0]["readinessProbe"] = json!({"periodSeconds": 1, "httpGet": {
                "scheme": "HTTPS", "host": server.ip(), "port": server.port(), "path": "/"}});
        })
        .await;
    let unhealthy = async || cluster.events("secure").await.remove("Unhealthy");
    let unhealthy = eventually("the probe fails", unhealthy).await;
    assert_eq!(unhealthy, "Readiness probe failed: HTTP probe failed with statuscode: 503");
    well.store(true, Ordering::Relaxed);
    cluster.wait("secure", is_ready).await;
}

/// Answers each call with the status in a file, as HTTP/2 has it on the wire.
const HEALTH: &str = r#"exec python3 -c '
import socketserver
class H(socketserver.StreamRequestHandler):
    def frame(self, kind, flags, stream, payload):
        head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
        self.wfile.write(head + payload)
    def handle(self):
        self.rfile.read(24)
        self.frame(4, 0, 0, b"")
        head, asked = bytes(9), b""
        while head[3] != 0 or not head[4] & 1:
            head = self.rfile.read(9)
            if len(head) < 9: return
            payload = self.rfile.read(int.from_bytes(head[:3], "big"))
            if head[3] == 0: asked += payload
        status = int(open("/tmp/status").read()) if asked[5:] == b"\x0a\x02db" else 3
        self.frame(4, 1, 0, b"")
        self.frame(1, 4, 1, b"\x88\x0f\x10\x10application/grpc")
        self.frame(0, 0, 1, bytes([0, 0, 0, 0, 2, 8, status]))
        self.frame(1, 5, 1, b"\x00\x0bgrpc-status\x010")
        self.rfile.read()
socketserver.TCPServer(("0.0.0.0", 5000), H).serve_forever()'"#;

#[tokio::test]
async fn a_probe_may_ask_for_the_health_of_grpc() {
    let cluster = Cluster::start().await;
    cluster
        .run("health", &format!("echo 2 > /tmp/status; {HEALTH}"), |pod| {
            pod["spec"]["containers"][0]["readinessProbe"] =
                json!({"periodSeconds": 1, "timeoutSeconds": 5, "grpc": {"port": 5000, "service": "db"}});
        })
        .await;
    let expected = "Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")";
    let unhealthy = async || {
        let unhealthy = cluster.events("health").await.remove("Unhealthy");
        unhealthy.filter(|message| message == expected)
    };
    eventually("the probe fails", unhealthy).await;
    let command = ["/bin/sh", "-c", "echo 1 > /tmp/status"];
    let mut process =
        cluster.pods().exec("health", command, &AttachParams::default()).await.unwrap();
    process.take_status().unwrap().await;
    cluster.wait("health", is_ready).await;
}
