use super::*;
use crate::facts::{Constraints, Owner};
use flumen_quota::Amount;
use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::core::v1 as core;
use serde_json::{Value, json};

fn object(kind: Kind, uid: &str, version: u64, facts: Facts) -> Object {
    Object { version, ..Object::bare(kind, Key::new("ns", uid), facts) }
}

fn pod(uid: &str, version: u64, value: &Value) -> Object {
    let pod: core::Pod = serde_json::from_value(value.clone()).expect("pod");
    object(Kind::Pod, uid, version, Facts::Pod(Box::new((&pod).into())))
}

fn waiting(uid: &str, version: u64, cpu: &str) -> Object {
    pod(
        uid,
        version,
        &json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}),
    )
}

fn bound(uid: &str, version: u64, cpu: &str) -> Object {
    pod(
        uid,
        version,
        &json!({"metadata": {}, "spec": {"nodeName": "n", "containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}),
    )
}

fn used(world: &World) -> Option<Amount> {
    world.capacity.used("n").and_then(|used| used.get("cpu")).copied()
}

fn cpu(text: &str) -> Option<Amount> {
    Amount::parse(text)
}

#[test]
fn an_older_view_of_an_object_is_ignored() {
    let mut world = World::default();
    world.answered(bound("p", 9, "1"));
    assert!(world.watched(waiting("p", 8, "1")).is_empty());
    assert_eq!(used(&world), cpu("1"));
}

#[test]
fn an_answer_that_the_watch_has_overtaken_brings_no_ghost() {
    let mut world = World::default();
    world.watched(waiting("p", 5, "1"));
    world.removed(Kind::Pod, "p", 7);
    assert!(world.answered(waiting("p", 5, "1")).is_empty());
    assert!(world.get("p").is_none());
}

#[test]
fn an_assumed_pod_takes_room_exactly_once_until_its_binding_is_seen_and_after() {
    let mut world = World::default();
    world.watched(waiting("p", 1, "500m"));
    let facts = world.get("p").and_then(Object::pod).expect("pod").clone();
    world.capacity.assume(&"p".into(), &facts, "n");
    assert_eq!(used(&world), cpu("500m"));
    world.watched(waiting("p", 2, "500m"));
    assert_eq!(used(&world), cpu("500m"), "a change of the pod that is older than the binding");
    world.watched(bound("p", 3, "500m"));
    assert_eq!(used(&world), cpu("500m"));
    world.removed(Kind::Pod, "p", 4);
    assert_eq!(used(&world), cpu("0"));
}

#[test]
fn a_binding_that_failed_gives_the_room_back_and_the_pod_waits_again() {
    let mut world = World::default();
    world.watched(waiting("p", 1, "1"));
    let facts = world.get("p").and_then(Object::pod).expect("pod").clone();
    world.capacity.assume(&"p".into(), &facts, "n");
    assert_eq!(world.capacity.waiting().count(), 0);
    world.watched(waiting("q", 2, "1"));
    assert_eq!(world.unbound(&"p".into()), [Wake::Schedule("q".into())]);
    assert_eq!(used(&world), cpu("0"));
    assert_eq!(world.capacity.waiting().count(), 2);
    assert!(world.unbound(&"p".into()).is_empty(), "there is nothing to take back any more");
}

#[test]
fn an_assumed_pod_that_goes_wakes_the_pods_that_wait() {
    let assumed = || {
        let mut world = World::default();
        world.watched(waiting("p", 1, "1"));
        world.watched(waiting("q", 2, "1"));
        let facts = world.get("p").and_then(Object::pod).expect("pod").clone();
        world.capacity.assume(&"p".into(), &facts, "n");
        world
    };
    let wake = Wake::Room;
    let removed = assumed().removed(Kind::Pod, "p", 3);
    assert!(removed.contains(&wake), "removed: {removed:?}");
    let deleted = assumed().watched(Object { deleting: true, ..waiting("p", 3, "1") });
    assert!(deleted.contains(&wake), "deleted: {deleted:?}");
    let mut world = assumed();
    assert!(!world.watched(waiting("p", 3, "1")).contains(&wake), "it is on its way still");
    assert!(!world.watched(bound("p", 4, "1")).contains(&wake), "it has come");
}

#[test]
fn a_pod_that_waits_is_looked_at_again_when_it_asks_for_something_else() {
    let mut world = World::default();
    world.watched(waiting("p", 1, "1"));
    let with = |version, change: fn(&mut Constraints)| {
        let mut object = waiting("p", version, "1");
        let Facts::Pod(pod) = &mut object.facts else { panic!("a pod") };
        change(pod.waiting.as_mut().expect("it waits"));
        object
    };
    let refused = |asked: &mut Constraints| asked.refused = Some("no room".into());
    assert!(world.watched(with(2, refused)).is_empty(), "what the scheduler said itself");
    let selects = |asked: &mut Constraints| {
        asked.selector.insert("disk".into(), "fast".into());
    };
    assert_eq!(world.watched(with(3, selects)), [Wake::Schedule("p".into())]);
}

#[test]
fn room_that_becomes_free_wakes_the_pods_that_wait() {
    let mut world = World::default();
    world.watched(bound("p", 1, "1"));
    world.watched(waiting("q", 2, "1"));
    let wakes = world.removed(Kind::Pod, "p", 3);
    assert!(wakes.contains(&Wake::Room), "{wakes:?}");
    let node = object(Kind::Node, "n", 4, Facts::Node(Box::default()));
    assert!(world.watched(node.clone()).contains(&Wake::Room));
    assert!(
        world.watched(Object { version: 5, ..node }).is_empty(),
        "a heartbeat of a node wakes nobody"
    );
}

#[test]
fn the_dependents_of_an_owner_that_never_existed_are_known() {
    let mut world = World::default();
    let owner = Owner {
        uid: "never".into(),
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        name: "x".into(),
        controller: false,
        blocking: false,
    };
    let dependent = Object { owners: vec![owner], ..object(Kind::ConfigMap, "d", 1, Facts::Plain) };
    assert_eq!(world.watched(dependent.clone()), [Wake::Garbage("d".into())]);
    assert_eq!(world.dependents("never").count(), 1);
    assert!(
        world.watched(Object { version: 2, ..dependent }).is_empty(),
        "a change of its data is no reason to look again"
    );
}

#[test]
fn a_new_list_forgets_what_went_while_nobody_watched() {
    let mut world = World::default();
    world.watched(bound("p", 1, "1"));
    world.watched(bound("q", 2, "1"));
    // Deleted and made again under the same name.
    let again = Object { key: Key::new("ns", "p"), ..bound("p2", 3, "2") };
    world.watched(again);
    let listed = ["p2", "q"].into_iter().map(Uid::from).collect();
    world.retain(Kind::Pod, &listed);
    assert_eq!(used(&world), cpu("3"));
    assert_eq!(world.named(Kind::Pod, &Key::new("ns", "p")).map(|object| &*object.uid), Some("p2"));
}

#[test]
fn a_service_is_woken_by_pods_that_match_or_matched_it() {
    let mut world = World::default();
    let service: core::Service =
        serde_json::from_value(json!({"spec": {"selector": {"app": "a"}}})).expect("service");
    world.watched(object(Kind::Service, "s", 1, Facts::Service(Box::new((&service).into()))));
    let wake = Wake::Service(Key::new("ns", "s"));
    assert!(world.watched(waiting("p", 2, "1")).contains(&wake));
    assert!(
        !world.watched(waiting("p", 3, "1")).contains(&wake),
        "nothing changed for the service"
    );
    assert_eq!(world.selected_pods("ns", &[("app".to_owned(), "a".to_owned())].into()).len(), 1);
    assert!(world.watched(bound("p", 4, "1")).contains(&wake), "the label is gone");
    assert!(world.selected_pods("ns", &[("app".to_owned(), "a".to_owned())].into()).is_empty());
    assert!(world.selected_pods("ns", &std::collections::BTreeMap::new()).is_empty());
}

#[test]
fn pods_that_no_service_and_no_set_selects_wake_nobody() {
    let mut world = World::default();
    let service: core::Service =
        serde_json::from_value(json!({"spec": {"selector": {"app": "b"}}})).expect("service");
    world.watched(object(Kind::Service, "s", 1, Facts::Service(Box::new((&service).into()))));
    let set: apps::ReplicaSet = serde_json::from_value(json!({
        "metadata": {}, "spec": {"selector": {"matchLabels": {"app": "b"}}},
    }))
    .expect("replica set");
    world.watched(object(Kind::ReplicaSet, "r", 1, Facts::ReplicaSet(Box::new((&set).into()))));
    let mut wakes = Vec::new();
    for number in 0..10_000 {
        let name = format!("p{number}");
        wakes.extend(world.watched(waiting(&name, 2 * number + 2, "1m")));
        wakes.extend(world.watched(bound(&name, 2 * number + 3, "1m")));
    }
    wakes.retain(|wake| !matches!(wake, Wake::PodGarbage(_) | Wake::Schedule(_)));
    assert!(wakes.is_empty(), "{wakes:?}");
}

#[test]
fn only_what_goes_or_ends_wakes_the_quotas_of_its_namespace() {
    let mut world = World::default();
    let quota = |version| {
        object(Kind::Quota, "q", version, Facts::Quota { spec: None, hard: BTreeMap::new() })
    };
    assert_eq!(world.watched(quota(1)), [Wake::Quotas("ns".to_owned())]);
    let wake = Wake::GivenBack("ns".to_owned(), Kind::Pod);
    assert!(world.watched(quota(2)).is_empty(), "what is used has changed, and no more");
    assert!(!world.watched(bound("p", 3, "1")).contains(&wake));
    let ended = pod(
        "p",
        4,
        &json!({"metadata": {}, "spec": {"nodeName": "n", "containers": []}, "status": {"phase": "Failed"}}),
    );
    assert!(world.watched(ended).contains(&wake));
    assert!(world.removed(Kind::Pod, "p", 5).contains(&wake));
}

#[test]
fn a_service_of_another_type_may_give_node_ports_back() {
    let mut world = World::default();
    let quota = Facts::Quota { spec: None, hard: BTreeMap::new() };
    world.watched(object(Kind::Quota, "q", 1, quota));
    let service = |version, kind: &str| {
        let service: core::Service =
            serde_json::from_value(json!({"spec": {"type": kind}})).expect("service");
        object(Kind::Service, "s", version, Facts::Service(Box::new((&service).into())))
    };
    let wake = Wake::GivenBack("ns".to_owned(), Kind::Service);
    assert!(!world.watched(service(2, "NodePort")).contains(&wake), "what comes is counted then");
    assert!(world.watched(service(3, "ClusterIP")).contains(&wake));
}

#[test]
fn a_node_that_goes_is_one_less_for_all_others() {
    let mut world = World::default();
    let node = |name: &str, version, ready: &str| {
        let node: core::Node = serde_json::from_value(
            json!({"status": {"conditions": [{"type": "Ready", "status": ready}]}}),
        )
        .expect("node");
        object(Kind::Node, name, version, Facts::Node(Box::new((&node).into())))
    };
    world.watched(node("silent", 1, "Unknown"));
    world.watched(node("ready", 2, "True"));
    assert!(world.removed(Kind::Node, "ready", 3).contains(&Wake::Node("silent".to_owned())));
}
