//! The scheduler: a node for each pod that waits for one, or the reason why there is none.

mod affinity;
mod claims;
mod fit;
mod score;
mod words;

use std::time::Duration;

use k8s_openapi::api::core::v1::{Binding, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Status};
use kube::api::{Patch, PostParams};
use serde_json::json;

use crate::error::Verb;
use crate::events::{About, Told, tell};
use crate::facts::{Key, Uid};
use crate::hub::{Hub, describe, manager};
use crate::world::World;
use crate::{Error, clock};
use fit::{Candidate, Outcome};

/// The component that pods' events name.
const NAME: &str = "default-scheduler";
/// How long a pod that no node will do for waits at the most, as with kube-scheduler: nothing may have told that one will do now.
const AGAIN: Duration = Duration::from_mins(5);

#[derive(Debug)]
struct Round {
    key: Key,
    version: u64,
    outcome: Outcome,
    /// The message that stands in the pod's status already.
    refused: Option<String>,
    /// The pod's status says already that it has no node.
    unscheduled: bool,
}

pub(crate) async fn look(hub: &Hub, uid: Uid) -> Result<Option<Duration>, Error> {
    let Some(round) = hub.world(|world| begin(world, &uid)) else { return Ok(None) };
    match &round.outcome {
        Outcome::Bind(node) => {
            let bound = bind(hub, &round.key, &uid, node).await;
            if bound.is_err() {
                hub.unbound(&uid);
            }
            bound.or_else(|error| if error.is_gone() { Ok(()) } else { Err(error) })?;
            Ok(None)
        }
        Outcome::Unschedulable(message) => {
            if round.refused.as_ref() != Some(message) {
                refuse(hub, &round, &uid, message).await?;
            }
            Ok(Some(AGAIN))
        }
    }
}

/// Where many pods go at once, those that wait are asked for together and not with each of them.
pub(crate) async fn look_at_all(hub: &Hub, (): ()) -> Result<Option<Duration>, Error> {
    for pod in hub.world(|world| world.waiting()) {
        hub.queues.scheduler.push(pod);
    }
    Ok(None)
}

/// Decides, and takes the room at once so that the next pod does not get it too.
fn begin(world: &mut World, uid: &Uid) -> Option<Round> {
    let object = world.get(uid)?;
    let pod = object.pod()?;
    let constraints = pod.waiting.as_deref()?;
    if object.deleting || world.capacity.is_assumed(uid) {
        return None;
    }
    let nodes: Vec<Candidate<'_>> = world
        .nodes()
        .filter(|node| !node.deleting)
        .filter_map(|node| {
            Some(Candidate {
                key: &node.key,
                node: node.node()?,
                used: world.capacity.used(&node.key.name),
            })
        })
        .collect();
    let outcome = match claims::obstacle(world, &object.key.namespace, &constraints.claims) {
        Some(obstacle) if !nodes.is_empty() => {
            Outcome::Unschedulable(words::of_pod(nodes.len(), &obstacle))
        }
        _ => fit::place(&pod.requests, constraints, &nodes),
    };
    let round = Round {
        key: object.key.clone(),
        version: object.version,
        outcome,
        refused: constraints.refused.clone(),
        unscheduled: constraints.unscheduled,
    };
    if let Outcome::Bind(node) = &round.outcome {
        let pod = pod.clone();
        world.capacity.assume(uid, &pod, node);
    }
    Some(round)
}

async fn bind(hub: &Hub, key: &Key, uid: &Uid, node: &str) -> Result<(), Error> {
    let binding = Binding {
        metadata: ObjectMeta {
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()),
            uid: Some(uid.to_string()),
            ..ObjectMeta::default()
        },
        target: ObjectReference {
            kind: Some("Node".to_owned()),
            name: Some(node.to_owned()),
            ..ObjectReference::default()
        },
    };
    let failed = |source| {
        Error::request(Verb::Bind, format!("{} to node {node}", describe::<Pod>(key)), source)
    };
    let answer: kube::Result<Status> = hub
        .api::<Pod>(&key.namespace)
        .create_subresource("binding", &key.name, &PostParams::default(), &binding)
        .await;
    answer.map_err(failed)?;
    told(hub, key, uid, false, "Scheduled", format!("Successfully assigned {key} to {node}")).await;
    Ok(())
}

/// Writes why no node will do into the pod's status.
async fn refuse(hub: &Hub, round: &Round, uid: &Uid, message: &str) -> Result<(), Error> {
    let mut condition = json!({
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastProbeTime": null,
    });
    // What is not named keeps its value.
    if !round.unscheduled {
        condition["lastTransitionTime"] = json!(clock::stamp(clock::now()));
    }
    let body = json!({
        "metadata": {"uid": &**uid, "resourceVersion": round.version.to_string()},
        "status": {"conditions": [condition]},
    });
    let answer = hub
        .api::<Pod>(&round.key.namespace)
        .patch_status(&round.key.name, &manager(), &Patch::Strategic(body))
        .await;
    match answer {
        Ok(pod) => hub.answered(&pod),
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        Err(source) => {
            return Err(Error::request(Verb::Change, describe::<Pod>(&round.key), source));
        }
    }
    told(hub, &round.key, uid, true, "FailedScheduling", message.to_owned()).await;
    Ok(())
}

async fn told(hub: &Hub, key: &Key, uid: &Uid, warning: bool, reason: &str, message: String) {
    let about = About { api_version: "v1", kind: "Pod", key, uid };
    tell(hub, &about, Told { by: NAME, warning, reason, message }).await;
}

#[cfg(test)]
mod tests;
