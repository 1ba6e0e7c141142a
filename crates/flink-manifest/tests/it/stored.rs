//! Objects as the recorder keeps them: with the server's uid and the configuration file read back.

use serde_json::Value;

use flumen_flink_manifest::Manifests;

use crate::compare::comparable;

/// The rendered objects in the recordings' form.
pub(crate) fn stored(manifests: Manifests) -> Vec<Value> {
    let uid = format!("uid-deployments-{}", manifests.names.cluster_id());
    manifests.with_owner(&uid).objects().into_iter().map(comparable).collect()
}
