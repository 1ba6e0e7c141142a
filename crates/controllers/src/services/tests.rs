use k8s_openapi::api::core::v1 as core;
use serde_json::{Value, json};

use super::*;
use crate::facts::Facts;
use crate::reduce::Reduce as _;
use crate::wire::Wire;

fn object(kind: Kind, name: &str, version: u64, facts: Facts) -> Object {
    let uid = format!("{kind:?} {name}").as_str().into();
    Object { uid, version, ..Object::bare(kind, Key::new("ns", name), facts) }
}

fn service(spec: &Value) -> Object {
    let service = json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": spec});
    let service: core::Service = serde_json::from_value(service).expect("service");
    object(Kind::Service, "s", 1, Facts::Service(Box::new((&service).into())))
}

fn web() -> Value {
    json!({"clusterIP": "10.96.0.1", "selector": {"app": "web"}, "ports": [{"port": 80}]})
}

fn pod(version: u64, ready: &str, since: &str) -> Object {
    let pod: core::Pod = serde_json::from_value(json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"nodeName": "n", "containers": []},
        "status": {"phase": "Running", "podIP": "10.244.0.2",
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": since}]}
    }))
    .expect("pod");
    object(Kind::Pod, "p", version, Facts::Pod(Box::new((&pod).into())))
}

fn node() -> Object {
    Object { key: Key::new("", "n"), ..object(Kind::Node, "n", 1, Facts::Node(Box::default())) }
}

fn round(world: &mut World) -> Round {
    let mut triggers = std::mem::take(&mut world.triggers);
    let round = begin(world, &mut triggers, &Key::new("ns", "s"));
    world.triggers = triggers;
    round
}

/// When that happened which both tell of.
fn told(round: &Round) -> [Option<String>; 2] {
    let time = |annotations: Option<&std::collections::BTreeMap<String, String>>| {
        annotations.and_then(|annotations| annotations.get(trigger::ANNOTATION)).cloned()
    };
    let endpoints = match &round.endpoints {
        Some(endpoints::Change::Create(new) | endpoints::Change::Replace(new)) => &new.metadata,
        other => panic!("{other:?}"),
    };
    let slice = match &round.slices[..] {
        [slices::Change::Create(new) | slices::Change::Replace(new)] => &new.metadata,
        other => panic!("{other:?}"),
    };
    [time(endpoints.annotations.as_ref()), time(slice.annotations.as_ref())]
}

#[test]
fn endpoints_and_slices_tell_of_the_same_change() {
    let mut world = World::default();
    world.watched(node());
    world.watched(service(&web()));
    let both = |time: &str| [Some(time.to_owned()), Some(time.to_owned())];
    assert_eq!(told(&round(&mut world)), both("2026-01-01T00:00:00Z"), "the service itself");
    world.watched(pod(2, "False", "2026-01-01T00:00:07Z"));
    assert_eq!(told(&round(&mut world)), both("2026-01-01T00:00:07Z"));
    world.watched(pod(3, "True", "2026-01-01T00:00:09Z"));
    assert_eq!(told(&round(&mut world)), both("2026-01-01T00:00:09Z"));
    assert_eq!(told(&round(&mut world)), [None, None], "nothing has changed since");
}

#[test]
fn what_has_no_selector_or_is_going_is_left_to_others() {
    let nothing = |object: Object| {
        let mut world = World::default();
        world.watched(object);
        let round = round(&mut world);
        round.endpoints.is_none() && round.slices.is_empty()
    };
    assert!(!nothing(service(&web())));
    assert!(nothing(service(&json!({"clusterIP": "10.96.0.1", "ports": [{"port": 80}]}))));
    assert!(nothing(Object { deleting: true, ..service(&web()) }));
}

#[test]
fn only_endpoints_that_were_made_here_go_with_their_service() {
    let goes = |ours: bool| {
        let mut world = World::default();
        world.watched(object(Kind::Endpoints, "s", 1, Facts::Endpoints { digest: 0, ours }));
        matches!(round(&mut world).endpoints, Some(endpoints::Change::Remove(_)))
    };
    assert!(goes(true));
    assert!(!goes(false));
}

#[test]
fn endpoints_that_have_too_many_addresses_say_so_until_they_have_not() {
    let mut world = World::default();
    world.watched(service(&web()));
    for number in 0..=1000 {
        let status =
            json!({"phase": "Running", "podIP": format!("10.{}.{}.2", number / 250, number % 250)});
        let pod: core::Pod = serde_json::from_value(json!({
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}, "status": status,
        }))
        .expect("pod");
        let name = format!("p{number}");
        world.watched(object(Kind::Pod, &name, 1, Facts::Pod(Box::new((&pod).into()))));
    }
    let mut version = 1;
    let mut written = |world: &mut World| {
        let new = match round(world).endpoints {
            Some(endpoints::Change::Create(new) | endpoints::Change::Replace(new)) => new,
            other => panic!("{other:?}"),
        };
        version += 1;
        world.watched(object(Kind::Endpoints, "s", version, new.facts()));
        let subsets = new.subsets.unwrap_or_default();
        let addresses = subsets.into_iter().filter_map(|subset| subset.not_ready_addresses);
        let annotations = new.metadata.annotations.unwrap_or_default();
        (addresses.flatten().count(), annotations.get(endpoints::OVER_CAPACITY).cloned())
    };
    assert_eq!(written(&mut world), (1000, Some("truncated".to_owned())));
    let last = world.named(Kind::Pod, &Key::new("ns", "p7")).expect("pod").uid.clone();
    world.removed(Kind::Pod, &last, 2);
    assert_eq!(written(&mut world), (1000, None));
    assert!(round(&mut world).endpoints.is_none(), "nothing has changed since");
}

#[tokio::test]
async fn slices_are_written_although_endpoints_cannot_be() {
    let wire = Wire::default();
    let hub = wire.hub(|asked| {
        if asked.ends_with("/endpoints") {
            return Some((500, json!({"kind": "Status", "code": 500, "reason": "InternalError"})));
        }
        Some((201, json!({"metadata": {}, "addressType": "IPv4", "endpoints": []})))
    });
    hub.watched(service(&web()));
    let failed = look(&hub, Key::new("ns", "s")).await.expect_err("endpoints");
    assert_eq!(failed.status(), Some(500));
    let mut asked = wire.asked();
    asked.sort();
    let slices = "POST /apis/discovery.k8s.io/v1/namespaces/ns/endpointslices";
    assert_eq!(asked, ["POST /api/v1/namespaces/ns/endpoints", slices]);
}
