//! What a JobManager does when it comes up: it runs its job, from where its configuration says.

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    ResourceExt as _,
    runtime::{WatchStreamExt as _, watcher},
};

use crate::world::World;

const RUN_ID: &str = "flumen.dev/run-id";

/// Runs the job of each Flink cluster that is deployed, until it is dropped.
pub(crate) async fn launch(world: &World) {
    let config_maps = watcher(world.api::<ConfigMap>(), watcher::Config::default());
    let mut applied = config_maps.default_backoff().applied_objects().boxed();
    while let Some(config_map) = applied.next().await {
        if let Ok(config_map) = config_map {
            run(world, &config_map).await;
        }
    }
}

async fn run(world: &World, config_map: &ConfigMap) {
    let Some(deployment) = world.deployment().await else { return };
    let owned = config_map
        .owner_references()
        .iter()
        .any(|owner| Some(&owner.uid) == deployment.metadata.uid.as_ref());
    let Some(run) = deployment.annotations().get(RUN_ID).filter(|_| owned) else { return };
    let files = config_map.data.iter().flat_map(|data| data.iter());
    let Some((_, file)) = files.into_iter().find(|(name, _)| is_configuration(name)) else {
        return;
    };
    if world.flink.has_job(run) {
        return;
    }
    world.flink.add_job(run, "word-count", "INITIALIZING");
    if let Some(path) = restored_from(file) {
        world.flink.restore(run, path, path.contains("/savepoint-"));
    }
    world.flink.set_state(run, "RUNNING");
}

fn is_configuration(name: &str) -> bool {
    matches!(name, "config.yaml" | "flink-conf.yaml")
}

/// `execution.state-recovery.path`, which Flink 1.20 writes as a tree.
fn restored_from(file: &str) -> Option<&str> {
    let mut lines = file.lines().skip_while(|line| line.trim() != "state-recovery:");
    let depth = |line: &str| line.len() - line.trim_start().len();
    let parent = depth(lines.next()?);
    let mut children = lines.take_while(|line| depth(line) > parent);
    children
        .find_map(|line| line.trim().strip_prefix("path: "))
        .map(|path| path.trim_matches(['\'', '"']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snapshot_is_the_one_of_state_recovery() {
        let file = "a:\n  path: no\nexecution:\n  state-recovery:\n    claim-mode: CLAIM\n    path: 'file:/sp'\n  b:\n    path: no\n";
        assert_eq!(restored_from(file), Some("file:/sp"));
        assert_eq!(restored_from("execution:\n  state-recovery:\n    a: b\npath: no\n"), None);
    }
}
