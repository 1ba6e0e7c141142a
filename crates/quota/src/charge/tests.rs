use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Quota, charge, handles};
use crate::{Amount, Kind};

const PODS: Kind<'_> = Kind { group: "", plural: "pods" };
const SERVICES: Kind<'_> = Kind { group: "", plural: "services" };

fn quota(hard: &Value, used: &Value) -> Quota {
    Quota::of(
        &json!({"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": {"hard": hard, "used": used}}),
    )
}

fn pod(resources: &Value) -> Value {
    json!({"spec": {"containers": [{"name": "c", "resources": resources}]}, "status": {"qosClass": "Burstable"}})
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("time")
}

/// What is used of each name then, or why not.
fn asked(
    quota: &Quota,
    kind: Kind<'_>,
    old: Option<&Value>,
    new: &Value,
) -> Result<String, String> {
    let charged = charge(std::slice::from_ref(quota), kind, old, new, at("2026-01-01T00:00:00Z"))?;
    let used = charged.into_iter().flat_map(|(_, used)| used);
    Ok(used.map(|(name, amount)| format!("{name}={amount}")).collect::<Vec<_>>().join(","))
}

#[test]
fn what_is_taken_is_told_in_the_units_of_what_was_asked_for() {
    let hard = json!({"pods": "2", "requests.cpu": "1", "limits.memory": "2Gi"});
    let none = json!({"pods": "0", "requests.cpu": "0", "limits.memory": "0"});
    let one = pod(&json!({"requests": {"cpu": "600m"}, "limits": {"memory": "512Mi"}}));
    let used = asked(&quota(&hard, &none), PODS, None, &one).expect("room");
    assert_eq!(used, "limits.memory=512Mi,pods=1,requests.cpu=600m");
    let some = json!({"pods": "1", "requests.cpu": "600m", "limits.memory": "512Mi"});
    let refused = asked(&quota(&hard, &some), PODS, None, &one).expect_err("no room");
    assert_eq!(
        refused,
        "exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1"
    );
}

#[test]
fn a_pod_must_say_what_is_counted_and_a_quota_that_nobody_counted_yet_refuses() {
    let hard = json!({"limits.cpu": "1"});
    let silent = asked(&quota(&hard, &json!({"limits.cpu": "0"})), PODS, None, &pod(&json!({})));
    assert_eq!(silent, Err("failed quota: q: must specify limits.cpu for: c".to_owned()));
    let told = pod(&json!({"limits": {"cpu": "1"}}));
    let unknown = asked(&quota(&hard, &json!({})), PODS, None, &told);
    assert_eq!(unknown, Err("status unknown for quota: q, resources: limits.cpu".to_owned()));
}

#[test]
fn an_update_takes_only_what_is_new() {
    let hard = json!({"services.nodeports": "2", "services": "1"});
    let full = quota(&hard, &json!({"services.nodeports": "0", "services": "1"}));
    let inner = json!({"spec": {"type": "ClusterIP", "ports": [{"port": 1}, {"port": 2}]}});
    let outer = json!({"spec": {"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}});
    let used = asked(&full, SERVICES, Some(&inner), &outer).expect("room");
    assert_eq!(used, "services=1,services.nodeports=2");
    assert_eq!(asked(&full, SERVICES, Some(&outer), &inner), Ok(String::new()));
    assert!(!handles(Kind { group: "", plural: "secrets" }, Some(&inner), &outer));
    assert!(!handles(Kind { group: "", plural: "events" }, None, &inner));
}

#[test]
fn a_pod_takes_what_its_containers_need_at_once() {
    let step =
        |memory: &str| json!({"name": memory, "resources": {"requests": {"memory": memory}}});
    let mut sidecar = step("100Mi");
    sidecar["restartPolicy"] = "Always".into();
    let pod = json!({"spec": {"initContainers": [sidecar, step("1Gi")], "containers": [step("200Mi"), step("300Mi")]}});
    let usage = crate::usage(PODS, &pod, Timestamp::UNIX_EPOCH);
    assert_eq!(usage.get("requests.memory"), Amount::parse("1124Mi").as_ref());
    let ended = json!({"spec": pod["spec"], "status": {"phase": "Failed"}});
    let usage = crate::usage(PODS, &ended, Timestamp::UNIX_EPOCH);
    assert_eq!(usage.keys().collect::<Vec<_>>(), ["count/pods"]);
}

#[test]
fn a_pod_that_should_long_have_ended_takes_nothing_any_more() {
    let mut pod = pod(&json!({"requests": {"memory": "1Gi"}}));
    let taken = |pod: &Value, time: &str| crate::usage(PODS, pod, at(time)).len();
    assert_eq!(taken(&pod, "2026-01-01T00:00:31Z"), 4, "count/pods, pods and memory by two names");
    pod["metadata"] =
        json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30});
    assert_eq!(taken(&pod, "2026-01-01T00:00:30Z"), 4, "the last moment");
    assert_eq!(taken(&pod, "2026-01-01T00:00:31Z"), 1);
    pod["metadata"]["deletionGracePeriodSeconds"] = Value::Null;
    assert_eq!(taken(&pod, "2026-01-01T00:00:31Z"), 4, "nobody said when it should end");
}
