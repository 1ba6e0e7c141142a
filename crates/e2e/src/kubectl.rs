//! A cluster by `kubectl`.

use std::{
    io::Write as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// Runs `kubectl` against the cluster of this file.
///
/// # Errors
/// If it cannot be run.
pub fn kubectl(kubeconfig: &Path, arguments: &[&str]) -> Result<Output> {
    start(kubeconfig, arguments)?.wait_with_output().context("could not run kubectl")
}

/// Creates or changes objects.
///
/// # Errors
/// If that is refused.
pub fn apply_objects(kubeconfig: &Path, objects: &[Value]) -> Result<()> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let mut child = start(kubeconfig, &["apply", "--filename", "-"])?;
    let Some(mut input) = child.stdin.take() else { bail!("kubectl has no standard input") };
    input.write_all(list.to_string().as_bytes()).context("could not write to kubectl")?;
    drop(input);
    let output = child.wait_with_output().context("could not run kubectl")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubectl apply: {}", said.trim());
    Ok(())
}

fn start(kubeconfig: &Path, arguments: &[&str]) -> Result<Child> {
    Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("could not run kubectl")
}
