//! Whether nodes are there: one that is not heard for long enough is said to be unknown, and each gets the taints of its state.

mod decide;
mod pulse;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, Patch};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Verb;
use crate::events::{About, Told, tell};
use crate::facts::{Key, Object, Ready, Uid};
use crate::hub::{Hub, describe, manager};
use crate::kinds::Kind;
use crate::world::{Heard, LEASES, World};
use crate::{Error, clock};
use decide::{Evictions, Verdict, decide};
pub(crate) use pulse::Pulse;

/// The component that events name.
const NAME: &str = "node-controller";
const NOT_READY: &str = "NodeNotReady";

#[derive(Debug)]
struct Round {
    key: Key,
    uid: Uid,
    version: u64,
    /// That of its lease, 0 where there is none.
    lease: u64,
    verdict: Verdict,
    /// Pods that still say that they are ready.
    ready_pods: Vec<(Key, Uid)>,
}

pub(crate) async fn look(hub: &Hub, name: String) -> Result<Option<Duration>, Error> {
    let now = clock::now();
    let Some(round) = hub.world(|world| begin(world, &name, Instant::now(), now)) else {
        return Ok(None);
    };
    if round.verdict.lost {
        // The rest follows when the watch brings what is said of it now.
        lose(hub, &round, now).await?;
        return Ok(round.verdict.again);
    }
    if let Some(taints) = &round.verdict.taints {
        taint(hub, &round, taints).await?;
    }
    for (key, uid) in &round.ready_pods {
        unready(hub, key, uid, now).await?;
    }
    Ok(round.verdict.again)
}

/// Lets it be known that this process runs, until `stop`.
pub(crate) async fn beat(hub: &Hub, stop: &CancellationToken) {
    loop {
        hub.world(|world| world.pulse.beat(Instant::now()));
        tokio::select! {
            () = tokio::time::sleep(pulse::BEAT) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Notes a sign of life, and decides.
fn begin(world: &mut World, name: &str, now: Instant, time: Timestamp) -> Option<Round> {
    let Some(object) = world.named(Kind::Node, &Key::new("", name)) else {
        world.heard.remove(name);
        return None;
    };
    let (key, uid, version) = (object.key.clone(), Uid::clone(&object.uid), object.version);
    let node = object.node()?.clone();
    let lease = world.named(Kind::Lease, &Key::new(LEASES, name)).map_or(0, |lease| lease.version);
    let sign = (lease, node.heartbeat);
    let known = world.heard.get(name).filter(|heard| heard.sign == sign).map(|heard| heard.at);
    // What was said while nobody listened was not heard.
    let at = known.unwrap_or(now).max(world.pulse.beat(now));
    world.heard.insert(name.to_owned(), Heard { at, sign });
    let verdict = decide(&node, now.duration_since(at), evictions(world), time);
    let is_unknown = node.ready == Ready::Unknown && !verdict.heard_again;
    let ready_pods = if is_unknown { ready_pods(world, name) } else { Vec::new() };
    Some(Round { key, uid, version, lease, verdict, ready_pods })
}

fn ready_pods(world: &World, node: &str) -> Vec<(Key, Uid)> {
    let is_ready = |object: &&Object| object.pod().is_some_and(|pod| pod.ready_since.is_some());
    let pods = world.pods_of(node).filter(is_ready);
    pods.map(|object| (object.key.clone(), Uid::clone(&object.uid))).collect()
}

fn evictions(world: &World) -> Evictions {
    let states = world.nodes().filter_map(|object| Some(object.node()?.ready));
    let (ready, others): (Vec<_>, Vec<_>) = states.partition(|ready| *ready == Ready::Yes);
    Evictions::of(ready.len(), others.len())
}

/// Says of all that a kubelet reports that it is not known. The watches may be behind with its last sign of life, and bring
/// it then.
async fn lose(hub: &Hub, round: &Round, now: Timestamp) -> Result<(), Error> {
    let api: Api<Node> = Api::all(hub.client.clone());
    let failed = |source| Error::request(Verb::Change, format!("Node {}", round.key), source);
    let leases: Api<Lease> = Api::namespaced(hub.client.clone(), LEASES);
    let lease = leases.get_opt(&round.key.name).await.map_err(failed)?;
    let node = api.get_opt(&round.key.name).await.map_err(failed)?;
    let Some(node) = node.filter(|node| version(&node.metadata) == round.version) else {
        return Ok(());
    };
    if lease.map_or(0, |lease| version(&lease.metadata)) != round.lease {
        return Ok(());
    }
    let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
    let body = json!({
        "metadata": {"uid": &*round.uid, "resourceVersion": round.version.to_string()},
        "status": {"conditions": decide::unknown(conditions, node.metadata.creation_timestamp.as_ref(), &clock::stamp(now))},
    });
    let changed = api.patch_status(&round.key.name, &manager(), &Patch::Merge(body)).await;
    hub.answered(&changed.map_err(failed)?);
    let message = format!("Node {} status is now: {NOT_READY}", round.key);
    let about = About { api_version: "v1", kind: "Node", key: &round.key, uid: &round.uid };
    tell(hub, &about, Told { by: NAME, warning: false, reason: NOT_READY, message }).await;
    Ok(())
}

fn version(metadata: &ObjectMeta) -> u64 {
    metadata.resource_version.as_ref().and_then(|version| version.parse().ok()).unwrap_or(0)
}

async fn taint(hub: &Hub, round: &Round, taints: &[Taint]) -> Result<(), Error> {
    let api: Api<Node> = Api::all(hub.client.clone());
    let body = json!({
        "metadata": {"uid": &*round.uid, "resourceVersion": round.version.to_string()},
        "spec": {"taints": if taints.is_empty() { Value::Null } else { json!(taints) }},
    });
    match api.patch(&round.key.name, &manager(), &Patch::Merge(body)).await {
        Ok(node) => hub.answered(&node),
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(source) => {
            return Err(Error::request(Verb::Change, format!("Node {}", round.key), source));
        }
    }
    Ok(())
}

/// A pod of a node that is not heard is no address of a service any more.
async fn unready(hub: &Hub, key: &Key, uid: &Uid, now: Timestamp) -> Result<(), Error> {
    let body = json!({
        "metadata": {"uid": &**uid},
        "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": clock::stamp(now)}]},
    });
    let api = hub.api::<Pod>(&key.namespace);
    match api.patch_status(&key.name, &manager(), &Patch::Strategic(body)).await {
        Ok(pod) => hub.answered(&pod),
        // It is gone, or another one of that name has come.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 422) => return Ok(()),
        Err(source) => return Err(Error::request(Verb::Change, describe::<Pod>(key), source)),
    }
    let message = "Node is not ready".to_owned();
    let about = About { api_version: "v1", kind: "Pod", key, uid };
    tell(hub, &about, Told { by: NAME, warning: true, reason: NOT_READY, message }).await;
    Ok(())
}

#[cfg(test)]
mod tests;
