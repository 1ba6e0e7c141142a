use k8s_openapi::api::core::v1 as core;
use serde_json::{Value, json};

use super::*;
use crate::facts::{Facts, Object};
use crate::kinds::Kind;
use crate::wire::Wire;

fn pod(name: &str, version: u64, conditions: &Value) -> Object {
    let pod: core::Pod = serde_json::from_value(json!({
        "metadata": {},
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]},
        "status": {"conditions": conditions}
    }))
    .expect("pod");
    let facts = Facts::Pod(Box::new((&pod).into()));
    Object { version, ..Object::bare(Kind::Pod, Key::new("ns", name), facts) }
}

fn node(cpu: &str) -> Object {
    let node: core::Node =
        serde_json::from_value(json!({"status": {"allocatable": {"cpu": cpu, "pods": "9"}}}))
            .expect("node");
    Object::bare(Kind::Node, Key::new("", "n"), Facts::Node(Box::new((&node).into())))
}

#[tokio::test]
async fn many_pods_that_go_wake_those_that_wait_once_and_the_oldest_first() {
    let hub = Wire::default().hub(|_| None);
    let bound = |number: usize| {
        let pod: core::Pod = serde_json::from_value(
            json!({"metadata": {}, "spec": {"nodeName": "n", "containers": []}}),
        )
        .expect("pod");
        let facts = Facts::Pod(Box::new((&pod).into()));
        Object::bare(Kind::Pod, Key::new("ns", format!("bound {number}")), facts)
    };
    let all: Vec<Object> = (0..100).map(bound).collect();
    for pod in &all {
        hub.watched(pod.clone());
    }
    hub.watched(pod("late", 9, &json!([])));
    hub.watched(pod("early", 8, &json!([])));
    hub.queues.scheduler.drain();
    for pod in &all {
        hub.removed(pod);
    }
    assert_eq!(hub.queues.room.drain(), [()]);
    assert!(hub.queues.scheduler.drain().is_empty());
    look_at_all(&hub, ()).await.expect("look");
    assert_eq!(hub.queues.scheduler.drain(), ["early".into(), "late".into()]);
}

#[tokio::test]
async fn a_binding_that_fails_wakes_the_pod_that_waits_for_its_room() {
    let hub = Wire::default().hub(|asked| {
        if asked.ends_with("/binding") {
            return Some((500, json!({"kind": "Status", "code": 500, "reason": "InternalError"})));
        }
        Some((201, json!({"metadata": {}, "involvedObject": {}})))
    });
    hub.watched(node("1"));
    hub.watched(pod("first", 1, &json!([])));
    let room = hub.world(|world| begin(world, &"first".into())).expect("a round");
    assert_eq!(room.outcome, Outcome::Bind("n".to_owned()));
    hub.watched(pod("second", 2, &json!([])));
    let again = look(&hub, "second".into()).await.expect("look");
    assert_eq!(again, Some(Duration::from_mins(5)), "looked at again, whatever happens");
    hub.unbound(&"first".into());
    hub.queues.scheduler.drain();
    let failed = look(&hub, "first".into()).await.expect_err("no binding");
    assert_eq!(failed.status(), Some(500));
    assert_eq!(hub.queues.scheduler.drain(), ["second".into()]);
}
