//! The usual command line client, held to what it does with a real control plane: `scripts/clients/kubectl`.

use std::io::Write as _;
use std::path::Path;
use std::process::Output;

use crate::cluster::Cluster;

const CHECKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/clients/kubectl");
/// What the local cluster does not have on purpose, as docs/local-cluster.md says.
const LACKS: &str = "schemas";

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
async fn kubectl_works_as_with_a_real_control_plane() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::start().await;
    let output = tokio::process::Command::new("python3")
        .arg(CHECKS)
        .env("KUBECONFIG", &cluster.kubeconfig)
        .env("IMAGE", cluster.shell())
        .env("LACKS", LACKS)
        .kill_on_drop(true)
        .output()
        .await
        .expect("python3");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.lines().filter(|line| line.starts_with("ok ")).count() > 90, "{said}");
    cluster.stop().await;
}
