//! The usual command line client.

use std::io::Write as _;
use std::path::Path;
use std::process::Output;

use k8s_openapi::api::core::v1::Pod;

use crate::cluster::{Cluster, until};
use crate::pods::{once, phase};

pub(crate) async fn kubectl(cluster: &Cluster, words: &[&str]) -> String {
    let mut command = tokio::process::Command::new("kubectl");
    command
        .arg("--kubeconfig")
        .arg(&cluster.kubeconfig)
        .args(words)
        .env("HOME", cluster.place.path())
        .kill_on_drop(true);
    let Output { status, stdout, stderr } = command.output().await.expect("kubectl");
    let (said, complained) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "kubectl {words:?}: {said}{complained}");
    said.into_owned()
}

/// Whether this machine has the client; says so where it has not.
pub(crate) fn is_there() -> bool {
    let places = ["/usr/bin/kubectl", "/usr/local/bin/kubectl"];
    let is_there = places.iter().any(|path| Path::new(path).exists());
    if !is_there {
        let _ = writeln!(std::io::stdout(), "skipped: this machine has no kubectl");
    }
    is_there
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_gets_reads_logs_and_deletes() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::start().await;
    cluster.create::<Pod>(once(&cluster, "p", "echo hello; exec sleep 1000")).await;
    until(&cluster.api::<Pod>(), "p", |found: Option<&Pod>| phase(found) == "Running").await;
    let table = kubectl(&cluster, &["get", "pods"]).await;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("NAME") && lines[0].contains("STATUS"), "{table}");
    assert!(
        lines[1].starts_with("p ") && lines[1].contains("1/1") && lines[1].contains("Running"),
        "{table}"
    );
    assert!(
        kubectl(&cluster, &["get", "nodes,services,deployments", "-A"])
            .await
            .contains("node/local")
    );
    assert_eq!(
        kubectl(&cluster, &["get", "pod", "p", "-o", "jsonpath={.spec.nodeName}"]).await,
        "local"
    );
    assert_eq!(kubectl(&cluster, &["logs", "p"]).await, "hello\n");
    assert!(kubectl(&cluster, &["delete", "pod", "p"]).await.contains("pod \"p\" deleted"));
    until(&cluster.api::<Pod>(), "p", |found: Option<&Pod>| found.is_none()).await;
    cluster.stop().await;
}
