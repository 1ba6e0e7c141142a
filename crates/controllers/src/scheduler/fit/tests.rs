use super::*;
use crate::facts::Pod;
use k8s_openapi::api::core::v1 as core;
use serde_json::{Value, json};

struct Given {
    key: Key,
    node: Node,
    used: Requests,
}

fn node(name: &str, cpu: &str, memory: &str, more: &Value) -> Given {
    let mut whole = json!({"metadata": {"name": name}, "spec": {}, "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": "2"}}});
    for (part, value) in more.as_object().expect("object") {
        whole[part]
            .as_object_mut()
            .expect("object")
            .extend(value.as_object().expect("object").clone());
    }
    let node: core::Node = serde_json::from_value(whole).expect("node");
    Given { key: Key::new("", name), node: Node::from(&node), used: Requests::new() }
}

fn pod(spec: &Value) -> Pod {
    let mut whole = json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": "500m", "memory": "1600Mi"}}}]});
    whole.as_object_mut().expect("object").extend(spec.as_object().expect("object").clone());
    let pod: core::Pod =
        serde_json::from_value(json!({"metadata": {}, "spec": whole})).expect("pod");
    Pod::from(&pod)
}

fn placed(pod: &Pod, nodes: &[Given]) -> Outcome {
    let nodes: Vec<Candidate<'_>> = nodes
        .iter()
        .map(|given| Candidate { key: &given.key, node: &given.node, used: Some(&given.used) })
        .collect();
    place(&pod.requests, pod.waiting.as_ref().expect("waiting"), &nodes)
}

fn refused(message: &str) -> Outcome {
    Outcome::Unschedulable(message.to_owned())
}

fn bound(name: &str) -> Outcome {
    Outcome::Bind(name.to_owned())
}

#[test]
fn a_pod_fits_to_the_last_byte() {
    let exact = [node("n", "0.5", "1600Mi", &json!({}))];
    assert_eq!(placed(&pod(&json!({})), &exact), bound("n"));
    let short = [node("n", "0.5", "1677721599", &json!({}))];
    assert_eq!(
        placed(&pod(&json!({})), &short),
        refused("0/1 nodes are available: 1 Insufficient memory.")
    );
}

#[test]
fn everything_that_lacks_is_named_in_the_schedulers_order() {
    let small = [node("a", "1m", "1Mi", &json!({})), node("b", "1", "1Mi", &json!({}))];
    assert_eq!(
        placed(&pod(&json!({})), &small),
        refused("0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.")
    );
    assert_eq!(placed(&pod(&json!({})), &[]), refused("no nodes available to schedule pods"));
    let gpu =
        json!({"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]});
    assert_eq!(
        placed(&pod(&gpu), &[node("n", "1", "1Gi", &json!({}))]),
        refused("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
    );
}

#[test]
fn what_other_pods_take_is_not_there() {
    let mut full = node("n", "4", "8Gi", &json!({}));
    full.used = Requests::from([("pods".to_owned(), Amount::whole(2))]);
    assert_eq!(
        placed(&pod(&json!({})), &[full]),
        refused("0/1 nodes are available: 1 Too many pods.")
    );
}

#[test]
fn the_node_with_the_most_room_is_taken() {
    let mut busy = node("a", "4", "8Gi", &json!({}));
    busy.used = Requests::from([("memory".to_owned(), Amount::parse("4Gi").expect("quantity"))]);
    assert_eq!(
        placed(
            &pod(&json!({})),
            &[busy, node("c", "4", "8Gi", &json!({})), node("b", "4", "8Gi", &json!({}))]
        ),
        bound("b")
    );
}

#[test]
fn taints_keep_out_who_does_not_tolerate_them() {
    let tainted = [node(
        "n",
        "4",
        "8Gi",
        &json!({"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}}),
    )];
    let message = "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}.";
    for (toleration, expected) in [
        (json!({"key": "gpu", "value": "yes"}), bound("n")),
        (json!({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}), bound("n")),
        (json!({"operator": "Exists"}), bound("n")),
        (json!({"key": "gpu", "value": "no"}), refused(message)),
        (json!({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}), refused(message)),
        (json!({"value": "yes"}), refused(message)),
    ] {
        assert_eq!(
            placed(&pod(&json!({"tolerations": [toleration]})), &tainted),
            expected,
            "{toleration}"
        );
    }
    let soft = [node(
        "n",
        "4",
        "8Gi",
        &json!({"spec": {"taints": [{"key": "x", "effect": "PreferNoSchedule"}]}}),
    )];
    assert_eq!(placed(&pod(&json!({})), &soft), bound("n"));
    let ailing = [node(
        "n",
        "4",
        "8Gi",
        &json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}),
    )];
    let message = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.";
    assert_eq!(placed(&pod(&json!({})), &ailing), refused(message));
    let cordoned = [node("n", "4", "8Gi", &json!({"spec": {"unschedulable": true}}))];
    assert_eq!(
        placed(&pod(&json!({})), &cordoned),
        refused("0/1 nodes are available: 1 node(s) were unschedulable.")
    );
}

#[test]
fn selectors_and_affinity_must_match() {
    let nodes = || {
        [node(
            "n",
            "4",
            "8Gi",
            &json!({"metadata": {"name": "n", "labels": {"zone": "a", "cores": "8"}}}),
        )]
    };
    let expression = |key: &str, operator: &str, values: &[&str]| {
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}]}}}})
    };
    let no =
        refused("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.");
    for (spec, fits) in [
        (json!({"nodeSelector": {"zone": "a"}}), true),
        (json!({"nodeSelector": {"zone": "b"}}), false),
        (expression("zone", "In", &["b", "a"]), true),
        (expression("zone", "NotIn", &["a"]), false),
        (expression("disk", "NotIn", &["a"]), true),
        (expression("zone", "Exists", &[]), true),
        (expression("disk", "Exists", &[]), false),
        (expression("disk", "DoesNotExist", &[]), true),
        (expression("cores", "Gt", &["7"]), true),
        (expression("cores", "Lt", &["8"]), false),
        (
            json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}]}}}}),
            true,
        ),
    ] {
        let expected = if fits { bound("n") } else { no.clone() };
        assert_eq!(placed(&pod(&spec), &nodes()), expected, "{spec}");
    }
}
