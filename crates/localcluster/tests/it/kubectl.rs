//! The usual command line client, held to what it does with a real control plane: `scripts/clients/kubectl`.

use std::io::Write as _;
use std::path::Path;

use crate::cluster::Cluster;

const CHECKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/clients/kubectl");
/// What the local cluster does not have on purpose, as docs/local-cluster.md says.
const LACKS: &str = "schemas";

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_works_as_with_a_real_control_plane() {
    if !["/usr/bin/kubectl", "/usr/local/bin/kubectl"].iter().any(|path| Path::new(path).exists()) {
        let _ = writeln!(std::io::stdout(), "skipped: this machine has no kubectl");
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
