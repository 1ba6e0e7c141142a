use serde_json::json;

use super::*;
use crate::facts::{Facts, Object};

fn object(kind: Kind, key: Key, version: u64, facts: Facts) -> Object {
    let uid = format!("{kind:?} {key}").as_str().into();
    Object { uid, version, ..Object::bare(kind, key, facts) }
}

fn node(name: &str, version: u64, ready: &str, heartbeat: &str) -> Object {
    let node: Node = serde_json::from_value(json!({"metadata": {}, "status": {"conditions": [
        {"type": "Ready", "status": ready, "lastHeartbeatTime": heartbeat}]}}))
    .expect("node");
    object(Kind::Node, Key::new("", name), version, Facts::Node(Box::new((&node).into())))
}

fn lease(name: &str, version: u64) -> Object {
    object(Kind::Lease, Key::new(LEASES, name), version, Facts::Plain)
}

fn ready_pod(name: &str, node: &str) -> Object {
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {}, "spec": {"nodeName": node, "containers": []},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}))
    .expect("pod");
    object(Kind::Pod, Key::new("ns", name), 1, Facts::Pod(Box::new((&pod).into())))
}

const EARLY: &str = "2026-01-01T00:00:00Z";
const LATE: &str = "2026-01-01T00:05:00Z";

/// A round after so many seconds, up to which the process has run.
fn round(world: &mut World, name: &str, start: Instant, seconds: u64) -> Option<Round> {
    let at = |seconds| start + Duration::from_secs(seconds);
    for second in (0..seconds).step_by(5) {
        world.pulse.beat(at(second));
    }
    begin(world, name, at(seconds), Timestamp::UNIX_EPOCH)
}

#[test]
fn each_new_lease_or_status_is_a_sign_of_life_and_the_same_again_is_none() {
    let mut world = World::default();
    world.watched(node("n", 1, "True", EARLY));
    let start = Instant::now();
    let mut lost = |change: Option<Object>, seconds| {
        if let Some(change) = change {
            world.watched(change);
        }
        round(&mut world, "n", start, seconds).expect("a node").verdict.lost
    };
    assert!(!lost(None, 0));
    assert!(!lost(Some(lease("n", 2)), 49));
    assert!(!lost(None, 98));
    assert!(lost(None, 99));
    assert!(!lost(Some(lease("n", 3)), 99));
    assert!(!lost(Some(node("n", 4, "True", LATE)), 140));
    assert!(!lost(None, 189));
    assert!(lost(None, 190));
}

#[test]
fn the_pods_of_a_node_that_is_not_heard_are_not_ready() {
    let mut world = World::default();
    world.watched(node("n", 1, "Unknown", EARLY));
    world.watched(node("other", 2, "True", EARLY));
    world.watched(ready_pod("here", "n"));
    world.watched(ready_pod("there", "other"));
    let start = Instant::now();
    let pods = |world: &mut World, name: &str, seconds| {
        let pods = round(world, name, start, seconds).expect("a node").ready_pods;
        pods.into_iter().map(|(key, _)| key.name).collect::<Vec<_>>()
    };
    assert!(pods(&mut world, "n", 0).is_empty(), "it was heard just now");
    assert_eq!(pods(&mut world, "n", 60), ["here"]);
    assert!(pods(&mut world, "other", 0).is_empty());
    assert!(round(&mut world, "none", start, 0).is_none());
}

#[test]
fn a_node_is_not_lost_because_the_process_itself_was_stopped() {
    let mut world = World::default();
    world.watched(node("n", 1, "True", EARLY));
    let start = Instant::now();
    let verdict = |world: &mut World, seconds| {
        let now = start + Duration::from_secs(seconds);
        let verdict = begin(world, "n", now, Timestamp::UNIX_EPOCH).expect("a node").verdict;
        (verdict.lost, verdict.again.map(|rest| rest.as_secs()))
    };
    assert_eq!(verdict(&mut world, 0), (false, Some(50)));
    assert_eq!(verdict(&mut world, 300), (false, Some(50)), "nobody has listened");
    for seconds in (305..350).step_by(5) {
        world.pulse.beat(start + Duration::from_secs(seconds));
    }
    assert_eq!(verdict(&mut world, 349), (false, Some(1)));
    assert_eq!(verdict(&mut world, 350), (true, None));
}
