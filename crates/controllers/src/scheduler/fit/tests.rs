//! The messages are those of kube-scheduler 1.34.4 for the same nodes and pods.

use super::*;
use crate::facts::Pod;
use k8s_openapi::api::core::v1 as core;
use serde_json::{Value, json};

const NO_HELP: &str = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
const NO_VICTIMS: &str = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";

struct Given {
    key: Key,
    node: Node,
    used: Amounts,
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
    Given { key: Key::new("", name), node: Node::from(&node), used: Amounts::new() }
}

fn with(mut node: Given, resource: &str, used: &str) -> Given {
    node.used.insert(resource.to_owned(), Amount::parse(used).expect("quantity"));
    node
}

/// In a zone, with these taints.
fn in_zone(name: &str, zone: &str, taints: &Value) -> Given {
    let labels = json!({"zone": zone, "cores": "8"});
    node(name, "4", "8Gi", &json!({"metadata": {"labels": labels}, "spec": {"taints": taints}}))
}

fn pod(spec: &Value) -> Pod {
    let mut whole = json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": "500m", "memory": "1600Mi"}}}]});
    whole.as_object_mut().expect("object").extend(spec.as_object().expect("object").clone());
    let pod: core::Pod =
        serde_json::from_value(json!({"metadata": {}, "spec": whole})).expect("pod");
    Pod::from(&pod)
}

fn placed(spec: &Value, nodes: &[Given]) -> Outcome {
    let pod = pod(spec);
    let nodes: Vec<Candidate<'_>> = nodes
        .iter()
        .map(|given| Candidate { key: &given.key, node: &given.node, used: Some(&given.used) })
        .collect();
    place(&pod.requests, pod.waiting.as_ref().expect("waiting"), &nodes)
}

fn refused(message: &str) -> Outcome {
    Outcome::Unschedulable(message.to_owned())
}

/// On the only node.
fn refused_by_one(reason: &str, then: &str) -> Outcome {
    refused(&format!("0/1 nodes are available: 1 {reason}. {then}"))
}

fn bound(name: &str) -> Outcome {
    Outcome::Bind(name.to_owned())
}

fn required(terms: &Value) -> Value {
    json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}})
}

fn expression(key: &str, operator: &str, values: &[&str]) -> Value {
    required(&json!([{"matchExpressions": [{"key": key, "operator": operator, "values": values}]}]))
}

fn field(names: &[&str]) -> Value {
    json!({"key": "metadata.name", "operator": "In", "values": names})
}

#[test]
fn a_pod_fits_to_the_last_byte() {
    let exact = [node("n", "0.5", "1600Mi", &json!({}))];
    assert_eq!(placed(&json!({}), &exact), bound("n"));
    let short = [node("n", "0.5", "1677721599", &json!({}))];
    assert_eq!(placed(&json!({}), &short), refused_by_one("Insufficient memory", NO_HELP));
}

#[test]
fn everything_that_lacks_is_named_in_the_schedulers_order() {
    let small = [node("a", "1m", "1Mi", &json!({})), node("b", "1", "1Mi", &json!({}))];
    assert_eq!(
        placed(&json!({}), &small),
        refused(
            "0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
        )
    );
    assert_eq!(placed(&json!({}), &[]), refused("no nodes available to schedule pods"));
    let gpu =
        json!({"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]});
    assert_eq!(
        placed(&gpu, &[node("n", "1", "1Gi", &json!({}))]),
        refused_by_one("Insufficient nvidia.com/gpu", NO_HELP)
    );
}

#[test]
fn what_other_pods_take_is_not_there() {
    let full = with(node("n", "4", "8Gi", &json!({})), "pods", "2");
    assert_eq!(placed(&json!({}), &[full]), refused_by_one("Too many pods", NO_VICTIMS));
    let nodes = [
        with(with(node("a", "1", "8Gi", &json!({})), "cpu", "1"), "pods", "2"),
        with(node("b", "1", "8Gi", &json!({})), "cpu", "1"),
        node("c", "0.1", "8Gi", &json!({})),
    ];
    assert_eq!(
        placed(&json!({}), &nodes),
        refused(
            "0/3 nodes are available: 1 Too many pods, 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
        )
    );
}

#[test]
fn the_node_with_the_most_room_is_taken_and_of_equals_the_one_with_the_fewest_pods() {
    let busy = || with(node("a", "4", "8Gi", &json!({})), "memory", "4Gi");
    let free = |name: &str| node(name, "4", "8Gi", &json!({}));
    assert_eq!(placed(&json!({}), &[busy(), free("c"), free("b")]), bound("b"));
    let pods = [with(free("a"), "pods", "1"), free("b")];
    assert_eq!(placed(&json!({}), &pods), bound("b"));
}

#[test]
fn taints_keep_out_who_does_not_tolerate_them() {
    let taints = json!([{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]);
    let refusal = refused_by_one("node(s) had untolerated taint(s)", NO_HELP);
    for (toleration, fits) in [
        (json!({"key": "gpu", "value": "yes"}), true),
        (json!({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}), true),
        (json!({"operator": "Exists"}), true),
        (json!({"key": "gpu", "value": "no"}), false),
        (json!({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}), false),
        (json!({"value": "yes"}), false),
    ] {
        let outcome = placed(&json!({"tolerations": [toleration]}), &[in_zone("n", "a", &taints)]);
        let expected = if fits { bound("n") } else { refusal.clone() };
        assert_eq!(outcome, expected, "{toleration}");
    }
    let driving = json!([{"key": "x", "effect": "NoExecute"}]);
    assert_eq!(placed(&json!({}), &[in_zone("n", "a", &driving)]), refusal);
    let cordoned = [node("n", "4", "8Gi", &json!({"spec": {"unschedulable": true}}))];
    let refusal = refused_by_one("node(s) were unschedulable", NO_HELP);
    assert_eq!(placed(&json!({}), &cordoned), refusal);
    let tolerant =
        json!({"tolerations": [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]});
    assert_eq!(placed(&tolerant, &cordoned), bound("n"));
}

#[test]
fn a_node_that_is_rather_not_taken_is_taken_where_there_is_no_other() {
    let soft = json!([{"key": "x", "effect": "PreferNoSchedule"}]);
    let nodes = || [in_zone("a", "a", &soft), in_zone("b", "a", &json!([]))];
    assert_eq!(placed(&json!({}), &nodes()), bound("b"));
    assert_eq!(placed(&json!({}), &[in_zone("a", "a", &soft)]), bound("a"));
    let tolerant = json!({"tolerations": [{"key": "x", "operator": "Exists"}]});
    assert_eq!(placed(&tolerant, &nodes()), bound("a"));
}

#[test]
fn selectors_and_affinity_must_match() {
    let no = refused_by_one("node(s) didn't match Pod's node affinity/selector", NO_HELP);
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
        (required(&json!([{"matchFields": [field(&["n"])]}])), true),
        (required(&json!([{}])), false),
        (required(&json!([{}, {"matchFields": [field(&["n"])]}])), true),
    ] {
        let expected = if fits { bound("n") } else { no.clone() };
        let nodes = [in_zone("n", "a", &json!([]))];
        assert_eq!(placed(&spec, &nodes), expected, "{spec}");
    }
}

#[test]
fn a_pod_that_names_its_nodes_is_refused_by_the_others_for_that() {
    let nodes = || ["a", "b", "c"].map(|name| in_zone(name, name, &json!([])));
    let none = "no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
    let not_there = required(&json!([{"matchFields": [field(&["z"])]}]));
    assert_eq!(
        placed(&not_there, &nodes()),
        refused(&format!(
            "0/3 nodes are available: 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. {none}"
        ))
    );
    let elsewhere = required(&json!([{"matchFields": [field(&["a"])],
        "matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}]));
    assert_eq!(
        placed(&elsewhere, &nodes()),
        refused(&format!(
            "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. {none}"
        ))
    );
    let nowhere = required(&json!([{"matchFields": [field(&["a"]), field(&["b"])]}]));
    assert_eq!(
        placed(&nowhere, &nodes()),
        refused("0/3 nodes are available: pod affinity terms conflict. not found")
    );
    let either =
        required(&json!([{"matchFields": [field(&["b"])]}, {"matchFields": [field(&["c"])]}]));
    assert_eq!(placed(&either, &nodes()), bound("b"));
}

#[test]
fn preferences_are_weighed() {
    let prefers = |wishes: &[(i32, &str)]| {
        let terms: Vec<Value> = wishes
            .iter()
            .map(|(weight, zone)| {
                json!({"weight": weight, "preference": {"matchExpressions": [
                {"key": "zone", "operator": "In", "values": [zone]}]}})
            })
            .collect();
        json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}})
    };
    let nodes = || ["a", "b", "c"].map(|name| in_zone(name, name, &json!([])));
    for (wishes, expected) in [
        (vec![], "a"),
        (vec![(1, "b")], "b"),
        (vec![(1, "b"), (5, "c")], "c"),
        (vec![(3, "b"), (5, "c"), (3, "b")], "b"),
        (vec![(100, "elsewhere")], "a"),
    ] {
        assert_eq!(placed(&prefers(&wishes), &nodes()), bound(expected), "{wishes:?}");
    }
}
