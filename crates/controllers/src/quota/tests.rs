use std::cell::RefCell;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::discovery::{ApiCapabilities, Scope};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::Settings;
use crate::facts::Object;
use crate::kinds::Kinds;
use crate::reduce::Reduce as _;
use crate::wire::Wire;

fn quota(hard: &Value, status: &Value) -> ResourceQuota {
    serde_json::from_value(
        json!({"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": status}),
    )
    .expect("quota")
}

#[test]
fn a_status_has_what_was_found_and_keeps_what_nobody_counts() {
    let old =
        json!({"hard": {"pods": "1"}, "used": {"pods": "1", "example.com/x": "3", "gone": "1"}});
    let quota = quota(&json!({"pods": "2", "example.com/x": "5", "example.com/y": "5"}), &old);
    let found = Amounts::from([("pods".to_owned(), Amount::count(0))]);
    let status = json!(status(&quota, &found));
    assert_eq!(status["hard"], json!({"pods": "2", "example.com/x": "5", "example.com/y": "5"}));
    assert_eq!(status["used"], json!({"pods": "0", "example.com/x": "3"}));
}

fn kinds() -> Kinds {
    let all = [
        ApiResource::erase::<Pod>(&()),
        ApiResource::erase::<Secret>(&()),
        ApiResource::erase::<ReplicaSet>(&()),
    ];
    let operations = ["list", "watch", "delete"].map(str::to_owned).to_vec();
    let can = |resource| {
        let subresources = Vec::new();
        let operations = operations.clone();
        (resource, ApiCapabilities { scope: Scope::Namespaced, subresources, operations })
    };
    Kinds::new(all.into_iter().map(can))
}

fn object(kind: Kind, name: &str, version: u64, facts: Facts) -> Object {
    let metadata = json!({"name": name, "namespace": "ns", "uid": format!("{kind:?} {name}"), "resourceVersion": version.to_string()});
    let metadata = serde_json::from_value(metadata).expect("metadata");
    Object::new(kind, &metadata, facts).expect("object")
}

fn limits(hard: &Value) -> Object {
    object(Kind::Quota, "q", 1, quota(hard, &json!({})).facts())
}

#[test]
fn only_what_a_quota_of_the_namespace_counts_is_given_back() {
    let counted = |hard: &Value, namespace: &str| -> Vec<String> {
        let mut world = World::default();
        world.watched(limits(hard));
        let (kinds, mut counted) = (kinds(), Vec::new());
        for (_, resource) in kinds.watched() {
            if is_counted(&world, namespace, resource) {
                counted.push(resource.plural.clone());
            }
        }
        counted
    };
    for (name, expected) in [
        ("requests.cpu", "pods"),
        ("count/pods", "pods"),
        ("secrets", "secrets"),
        ("count/replicasets.apps", "replicasets"),
    ] {
        assert_eq!(counted(&json!({name: "1"}), "ns"), [expected], "{name}");
        assert_eq!(counted(&json!({name: "1"}), "other"), [""; 0], "{name}");
    }
    assert_eq!(counted(&json!({"services": "1", "count/events": "1"}), "ns"), [""; 0]);
}

/// When the quotas are looked at while so many pods go in two seconds.
async fn looks(hard: &Value, number: u64) -> Vec<u128> {
    let client = Wire::default().client(|_| None);
    let hub = Hub::new(client, kinds(), Settings::default());
    let pod: Pod = serde_json::from_value(json!({"metadata": {}})).expect("pod");
    let pods: Vec<Object> = (0..number)
        .map(|one| object(Kind::Pod, &format!("p{one}"), 2 + one, pod.facts()))
        .collect();
    for pod in &pods {
        hub.watched(pod.clone());
    }
    hub.watched(limits(hard));
    let (start, stop) = (Instant::now(), CancellationToken::new());
    let seen = RefCell::new(Vec::new());
    let run = hub.queues.quotas.run("test", stop.clone(), |_| {
        seen.borrow_mut().push(start.elapsed().as_millis());
        std::future::ready(Ok(None))
    });
    let go = async {
        for pod in &pods {
            hub.removed(pod);
            tokio::time::sleep(Duration::from_secs(2) / u32::try_from(number).expect("few")).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    futures::join!(run, go);
    seen.into_inner()
}

#[tokio::test(start_paused = true)]
async fn what_goes_together_is_counted_together_and_within_a_second() {
    assert_eq!(looks(&json!({"pods": "1"}), 1).await, [0, 500]);
    let seen = looks(&json!({"pods": "1"}), 1000).await;
    assert!((4..=6).contains(&seen.len()), "{seen:?}");
    assert_eq!(looks(&json!({"secrets": "1"}), 1000).await, [0], "the new quota alone");
}

#[test]
fn the_same_in_other_units_is_the_same() {
    let status = |cpu: &str| -> ResourceQuotaStatus {
        serde_json::from_value(json!({"hard": {"cpu": cpu}, "used": {"cpu": "0"}})).expect("status")
    };
    assert!(is_same(Some(&status("1")), &status("1000m")));
    assert!(!is_same(Some(&status("1")), &status("1001m")));
    assert!(!is_same(None, &status("1")));
}
