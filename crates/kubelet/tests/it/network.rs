//! Addresses, names and services, seen from inside pods.

use kube::api::{LogParams, PostParams};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cluster::{Cluster, eventually};

/// Serves each connection with the number of bytes that came before its end of input.
const COUNTING_SERVER: &str = r#"exec python3 -c '
import socketserver
class H(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"%d bytes" % len(self.rfile.read()))
socketserver.TCPServer(("0.0.0.0", 80), H).serve_forever()'"#;

async fn serve(cluster: &Cluster) {
    cluster.run("server", COUNTING_SERVER, |_| {}).await;
    for (name, ip) in [("web", json!(null)), ("pods", json!("None"))] {
        let service = serde_json::from_value(json!({"metadata": {"name": name}, "spec": {
            "clusterIP": ip, "selector": {"app": "server"}, "ports": [{"name": "http", "port": 8080, "targetPort": 80}]}}))
        .unwrap();
        let services: kube::Api<k8s_openapi::api::core::v1::Service> =
            kube::Api::namespaced(cluster.client.clone(), "default");
        services.create(&PostParams::default(), &service).await.unwrap();
    }
    cluster.wait_phase("server", "Running").await;
}

#[tokio::test]
async fn pods_find_and_reach_services_and_each_other() {
    let cluster = Cluster::start().await;
    serve(&cluster).await;
    let script = r#"
        until getent hosts pods >/dev/null; do sleep 0.02; done
        until python3 -c '
import socket, time
s = socket.create_connection(("web", 8080), 5)
s.sendall(b"x" * 100000); s.shutdown(socket.SHUT_WR)
print("service:", s.recv(100).decode())
own = socket.gethostbyname(socket.gethostname())
server = socket.gethostbyname("pods.default.svc.cluster.local")
s = socket.create_connection((server, 80), 5)
s.sendall(b"abc"); s.shutdown(socket.SHUT_WR)
print("pod:", s.recv(100).decode())
begun = time.time()
try: socket.gethostbyaddr(server); print("a name for", server)
except socket.herror: print("no name for its address")
try: socket.getaddrinfo("repo.example.org", 80)
except socket.gaierror: print("no such name")
print("at once" if time.time() - begun < 2 else "late")
print(own)' 2>/dev/null; do sleep 0.02; done"#;
    let (pod, log) = cluster.run_to_end("client", script, |_| {}).await;
    let own = pod["status"]["podIP"].as_str().unwrap();
    assert_eq!(
        log,
        format!(
            "service: 100000 bytes\npod: 3 bytes\nno name for its address\nno such name\nat once\n{own}\n"
        )
    );
}

#[tokio::test]
async fn the_host_reaches_pods_by_the_dialer_only() {
    let cluster = Cluster::start().await;
    serve(&cluster).await;
    let pod = cluster.wait_phase("server", "Running").await;
    let address = format!("{}:80", pod["status"]["podIP"].as_str().unwrap()).parse().unwrap();
    let dial = cluster.network.dialer();
    // The program needs a moment until it listens.
    let connect = async || match dial(address).await {
        Ok(connection) => Some(connection),
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
            None
        }
    };
    let mut connection = eventually("the program listens", connect).await;
    connection.write_all(b"hello").await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "5 bytes");
    let links = std::fs::read_to_string("/proc/net/dev").unwrap();
    assert!(!links.contains("pods"), "the host sees nothing of it: {links}");
}

#[tokio::test]
async fn pods_reach_the_api_as_their_service_account() {
    let cluster = Cluster::start().await;
    let script = r#"
        cd /var/run/secrets/kubernetes.io/serviceaccount
        python3 -c '
import os, ssl, urllib.request, urllib.error
url = "https://%s:%s/api/v1/namespaces/default/pods" % (os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"])
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + open("token").read()})
try: print(urllib.request.urlopen(request, context=ssl.create_default_context(cafile="ca.crt")).status)
except urllib.error.HTTPError as error: print(error.read().decode())'"#;
    let (_, log) = cluster.run_to_end("asks", script, |_| {}).await;
    assert!(log == "200\n" || log.contains("system:serviceaccount:default:default"), "{log}");
}

#[tokio::test]
async fn logs_can_be_followed_cut_and_dated() {
    let cluster = Cluster::start().await;
    let script = "for n in 1 2 3; do echo line $n; done; printf unfinished";
    cluster.run_to_end("writer", script, |_| {}).await;
    let log = |parameters: LogParams| {
        let pods = cluster.pods();
        async move { pods.logs("writer", &parameters).await.unwrap() }
    };
    assert_eq!(
        log(LogParams { tail_lines: Some(2), ..LogParams::default() }).await,
        "line 3\nunfinished"
    );
    assert_eq!(log(LogParams { limit_bytes: Some(6), ..LogParams::default() }).await, "line 1");
    let dated =
        log(LogParams { timestamps: true, tail_lines: Some(2), ..LogParams::default() }).await;
    let (time, text) = dated.lines().next().unwrap().split_once(' ').unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok() && text == "line 3", "{dated}");
    cluster.run("follower", "echo begun; sleep 0.3; echo done", |_| {}).await;
    cluster.wait_phase("follower", "Running").await;
    assert_eq!(
        cluster.log("follower", &LogParams { follow: true, ..LogParams::default() }).await,
        "begun\ndone\n"
    );
}
