//! What pods left of nodes that this machine played earlier and does not play now.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, api::ListParams};

use crate::{member::PODS, remove};

/// Removes the directories of pods that no longer exist. Those that exist come back with their node, and need theirs then.
/// What cannot be removed now is tried again at the next start.
pub(crate) async fn remove(client: Client, nodes_directory: &Path, nodes: &[String]) {
    for entry in fs::read_dir(nodes_directory).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if nodes.contains(&name) {
            continue;
        }
        let mine = ListParams::default().fields(&format!("spec.nodeName={name}"));
        let pods = match Api::<Pod>::all(client.clone()).list(&mine).await {
            Ok(pods) => pods,
            Err(error) => {
                tracing::debug!(%error, node = name, "could not look for what a node left");
                continue;
            }
        };
        let exist = pods.items.into_iter().filter_map(|pod| pod.metadata.uid).collect();
        let directory = entry.path();
        let removed = tokio::task::spawn_blocking(move || remove_others(&directory, &exist));
        if let Ok(Err((path, error))) = removed.await {
            tracing::warn!(%error, path = %path.display(), "could not remove what a pod left");
        }
    }
}

/// All but what these pods have in the directory of their node, which goes with the last one.
fn remove_others(node: &Path, exist: &BTreeSet<String>) -> Result<(), (PathBuf, std::io::Error)> {
    let pods = node.join(PODS);
    for entry in fs::read_dir(&pods).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(|uid| exist.contains(uid)) {
            let path = entry.path();
            remove::directory(&path).map_err(|error| (path, error))?;
        }
    }
    // Not while there is anything in them.
    let _ = fs::remove_dir(&pods).and_then(|()| fs::remove_dir(node));
    Ok(())
}
