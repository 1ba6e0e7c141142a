//! Deployments: one replica set per pod template, the current one growing while the others shrink.

mod build;
mod claim;
mod rollout;
mod status;
mod sync;

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet};
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::error::Verb;
use crate::events::{About, Told, tell};
use crate::facts::{Key, REVISION, Strategy, Uid};
use crate::hub::{Hub, MANAGER, describe};
use crate::selector::is_readable;
use crate::world::World;
use crate::{Error, clock};
use build::Kinship;
use rollout::{Action, Decision, Set};

/// The component that events name.
const NAME: &str = "deployment-controller";

/// One Deployment as it was when the round began.
struct Round {
    uid: Uid,
    key: Key,
    facts: crate::facts::Deployment,
    decision: Decision,
}

pub(crate) async fn look(hub: &Hub, uid: Uid) -> Result<Option<Duration>, Error> {
    let Some(key) = hub.world(|world| Some(world.get(&uid)?.key.clone())) else { return Ok(None) };
    if !is_readable(hub, &about(&key, &uid), NAME).await {
        return Ok(None);
    }
    let claims = hub.world(|world| claim::claims(world, &uid));
    crate::claim::act::<Deployment, ReplicaSet>(hub, &key, &uid, claims).await?;
    let Some(round) = hub.world(|world| begin(world, &uid)) else { return Ok(None) };
    for action in &round.decision.actions {
        act(hub, &round, action).await?;
    }
    Ok(round
        .decision
        .wake_in
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map(Duration::from_secs))
}

fn begin(world: &World, uid: &Uid) -> Option<Round> {
    let object = world.get(uid)?;
    let facts = object.deployment()?;
    let sets: Vec<Set<'_>> = world
        .managed(uid)
        .filter_map(|set| {
            Some(Set {
                uid: Uid::clone(&set.uid),
                name: &set.key.name,
                deleting: set.deleting,
                facts: set.replica_set()?,
                pods: world
                    .managed(&set.uid)
                    .filter(|pod| pod.pod().is_some_and(|pod| !pod.phase.is_final()))
                    .count(),
            })
        })
        .collect();
    let decision = rollout::decide(&object.key.name, facts, object.deleting, &sets, clock::now());
    Some(Round { uid: Uid::clone(uid), key: object.key.clone(), facts: facts.clone(), decision })
}

async fn act(hub: &Hub, round: &Round, action: &Action) -> Result<(), Error> {
    let set_key = |name: &str| Key::new(round.key.namespace.clone(), name);
    match action {
        Action::Create { replicas, revision } => create(hub, round, *replicas, *revision).await,
        Action::Scale { uid, name, from, to } => {
            let annotations = build::size_annotations(round.facts.replicas, surge(&round.facts));
            hub.change::<ReplicaSet>(&set_key(name), &json!({"metadata": {"uid": &**uid, "annotations": annotations}, "spec": {"replicas": to}})).await?;
            told_scaling(hub, round, name, *from, *to).await;
            Ok(())
        }
        Action::Sync { uid, name, change } => {
            let body = json!({
                "metadata": {"uid": &**uid, "annotations": change.annotations},
                "spec": {"minReadySeconds": change.min_ready_seconds},
            });
            hub.change::<ReplicaSet>(&set_key(name), &body).await
        }
        Action::Remove { uid, name } => {
            hub.delete::<ReplicaSet>(&set_key(name), uid, DeleteParams::background()).await
        }
        Action::Revision(revision) => {
            let body = json!({"metadata": {"uid": &*round.uid, "annotations": {REVISION: revision.to_string()}}});
            hub.change::<Deployment>(&round.key, &body).await
        }
        Action::Status(status) => {
            hub.write_status::<Deployment, _>(
                &round.key,
                &round.uid,
                &round.facts.status,
                status.as_ref(),
            )
            .await
        }
    }
}

fn surge(facts: &crate::facts::Deployment) -> i32 {
    match facts.strategy {
        Strategy::Recreate => 0,
        Strategy::Rolling { surge, .. } => surge,
    }
}

async fn create(hub: &Hub, round: &Round, replicas: i32, revision: i64) -> Result<(), Error> {
    let described = || describe::<Deployment>(&round.key);
    let deployment = hub.api::<Deployment>(&round.key.namespace).get(&round.key.name).await;
    let deployment =
        deployment.map_err(|source| Error::request(Verb::Read, described(), source))?;
    let Some(set) = build::replica_set(
        &deployment,
        &round.facts.hash,
        build::Size { replicas, wanted: round.facts.replicas, surge: surge(&round.facts) },
        revision,
    ) else {
        return Err(Error::Incomplete { object: described(), part: "spec" });
    };
    // Changed or replaced since: the watch will bring the new one.
    if deployment.metadata.uid.as_deref() != Some(&*round.uid)
        || crate::facts::Deployment::from(&deployment).hash != round.facts.hash
    {
        return Ok(());
    }
    let name = set.metadata.name.clone().unwrap_or_default();
    let parameters =
        PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    match hub.api::<ReplicaSet>(&round.key.namespace).create(&parameters, &set).await {
        Ok(created) => {
            hub.answered(&created);
            told_scaling(hub, round, &name, 0, replicas).await;
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.code == 409 && status.reason == "AlreadyExists" => {
            taken(hub, round, &set).await
        }
        Err(source) => Err(Error::request(
            Verb::Create,
            describe::<ReplicaSet>(&Key::new(round.key.namespace.clone(), name)),
            source,
        )),
    }
}

/// A replica set of that name exists: ours, which the watch has not brought yet; one that an earlier Deployment left to us; or
/// somebody else's, then the name must change.
async fn taken(hub: &Hub, round: &Round, wanted: &ReplicaSet) -> Result<(), Error> {
    let key =
        Key::new(round.key.namespace.clone(), wanted.metadata.name.as_deref().unwrap_or_default());
    let found = hub.api::<ReplicaSet>(&key.namespace).get(&key.name).await;
    let found =
        found.map_err(|source| Error::request(Verb::Read, describe::<ReplicaSet>(&key), source))?;
    // Without one the round would not have begun.
    let Ok(selector) = &round.facts.selector else { return Ok(()) };
    match build::kinship(&found, wanted, selector) {
        Kinship::Own => hub.answered(&found),
        Kinship::Orphan(metadata) => {
            hub.change::<ReplicaSet>(&key, &json!({"metadata": metadata})).await?;
        }
        Kinship::Foreign => {
            let old = &round.facts.status;
            let collision_count = Some(old.collision_count.unwrap_or(0) + 1);
            let status = DeploymentStatus { collision_count, ..old.clone() };
            hub.write_status::<Deployment, _>(&round.key, &round.uid, old, &status).await?;
        }
    }
    Ok(())
}

async fn told_scaling(hub: &Hub, round: &Round, name: &str, from: i32, to: i32) {
    let direction = if to < from { "down" } else { "up" };
    let message = format!("Scaled {direction} replica set {name} from {from} to {to}");
    let told = Told { by: NAME, warning: false, reason: "ScalingReplicaSet", message };
    tell(hub, &about(&round.key, &round.uid), told).await;
}

fn about<'a>(key: &'a Key, uid: &'a Uid) -> About<'a> {
    About { api_version: "apps/v1", kind: "Deployment", key, uid }
}
