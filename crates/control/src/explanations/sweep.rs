//! Clears pods away of which nobody waits for an answer any more.

use std::time::Duration;

use flumen_k8s::Deletion;
use flumen_store::Explanation;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::{Control, Error, clock};

/// How often it is looked for pods that a server left, or could not delete.
const EVERY: Duration = Duration::from_secs(5);
/// How many are cleared away at the same time.
const AT_ONCE: usize = 64;

/// Looks for what is left, until told to stop.
pub(crate) async fn run(control: Control, stop: CancellationToken) {
    // A server has its database alone: what is there when it starts was left by one that died.
    let mut is_first = true;
    loop {
        let swept = tokio::select! {
            () = stop.cancelled() => return,
            swept = sweep(&control, is_first) => swept,
        };
        match swept {
            Ok(()) => is_first = false,
            Err(error) => {
                tracing::warn!(
                    error = error.paragraph(),
                    "the pods of scripts that were explained could not be looked through"
                );
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn sweep(control: &Control, is_first: bool) -> Result<(), Error> {
    let own = control.explanations();
    let is_left = |explanation: &Explanation| {
        (is_first || explanation.server == own.server || explanation.ends_at <= clock::now())
            && !own.is_underway(&explanation.name)
    };
    let clear = async |explanation: Explanation| {
        if let Err(error) = clear_away(control, &explanation).await {
            tracing::debug!(pod = %explanation.name, error = error.paragraph(), "a pod is not cleared away yet");
        }
    };
    let left = control.store().explanations().await?.into_iter().filter(is_left);
    // One cluster that does not answer holds up no other.
    futures::stream::iter(left).for_each_concurrent(AT_ONCE, clear).await;
    Ok(())
}

/// Deletes the pod and its ConfigMap, and forgets them. A pod that is not there may still be on its way while its time is
/// not over, and is looked for again.
pub(super) async fn clear_away(control: &Control, explanation: &Explanation) -> Result<(), Error> {
    let Explanation { name, namespace, .. } = explanation;
    let cluster = match control.clusters_handle().get(&explanation.cluster).await {
        Ok(cluster) => cluster,
        // Nobody can look there any more.
        Err(Error::NoCluster { .. }) => {
            return Ok(control.store().remove_explanation(name).await?);
        }
        Err(error) => return Err(error),
    };
    let deletion = cluster.delete_pod(namespace, name.as_str()).await?;
    cluster.delete_config_map(namespace, name.as_str()).await?;
    if deletion == Deletion::Underway || explanation.ends_at <= clock::now() {
        control.store().remove_explanation(name).await?;
    }
    Ok(())
}
