use k8s_openapi::api::core::v1 as core;
use serde_json::json;

use super::*;
use crate::facts::{Facts, Key};
use crate::kinds::Kind;

fn object(kind: Kind, name: &str, facts: Facts) -> Object {
    Object::bare(kind, Key::new("ns", name), facts)
}

fn service() -> Object {
    let service: core::Service = serde_json::from_value(json!({
        "metadata": {"name": "s", "labels": {"l": "x"}},
        "spec": {"clusterIP": "10.96.0.1", "selector": {"a": "b"}, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]}
    }))
    .expect("service");
    object(Kind::Service, "s", Facts::Service(Box::new((&service).into())))
}

fn pods(count: usize, port: i32) -> Vec<Object> {
    let pod = |number: usize| {
        let pod: core::Pod = serde_json::from_value(json!({
            "metadata": {},
            "spec": {"nodeName": "n", "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": port}]}]},
            "status": {"phase": "Running", "podIP": format!("10.{port}.{}.{}", number / 250, number % 250 + 1)}
        }))
        .expect("pod");
        object(Kind::Pod, &format!("{port}-{number:03}"), Facts::Pod(Box::new((&pod).into())))
    };
    (0..count).map(pod).collect()
}

/// The slices as they are after the changes, with names and uids as a server gives them.
fn settle(pods: &[Object], before: &[EndpointSlice]) -> (Vec<EndpointSlice>, [usize; 3]) {
    let object = service();
    let node = self::object(Kind::Node, "n", Facts::Node(Box::default()));
    let view = View {
        object: &object,
        service: object.service().expect("service"),
        pods: pods.iter().map(|pod| (pod, Some(&node))).collect(),
        trigger: None,
        endpoints: None,
        slices: before.iter().collect(),
    };
    let mut after = before.to_vec();
    let mut counts = [0; 3];
    for change in decide(&view) {
        match change {
            Change::Create(mut slice) => {
                counts[0] += 1;
                let name = format!("s-{}-{}", after.len(), slice.endpoints.len());
                (slice.metadata.name, slice.metadata.uid) = (Some(name.clone()), Some(name));
                after.push(*slice);
            }
            Change::Replace(slice) => {
                counts[1] += 1;
                let known =
                    after.iter_mut().find(|known| known.metadata.name == slice.metadata.name);
                let known = known.expect("a slice of that name");
                let uid = known.metadata.uid.clone();
                *known = *slice;
                known.metadata.uid = uid;
            }
            Change::Delete { name, .. } => {
                counts[2] += 1;
                after.retain(|known| known.metadata.name.as_ref() != Some(&name));
            }
        }
    }
    (after, counts)
}

fn sizes(slices: &[EndpointSlice]) -> Vec<usize> {
    let mut sizes: Vec<usize> = slices.iter().map(|slice| slice.endpoints.len()).collect();
    sizes.sort_unstable();
    sizes
}

#[test]
fn a_service_without_pods_has_one_empty_slice_that_its_first_pod_takes_over() {
    let (empty, counts) = settle(&[], &[]);
    assert_eq!((sizes(&empty), counts), (vec![0], [1, 0, 0]));
    assert_eq!(settle(&[], &empty).1, [0, 0, 0]);
    let (one, counts) = settle(&pods(1, 80), &empty);
    assert_eq!((sizes(&one), counts), (vec![1], [0, 1, 0]));
    let (none, counts) = settle(&[], &one);
    assert_eq!((sizes(&none), counts), (vec![0], [0, 1, 0]));
}

#[test]
fn many_pods_have_several_slices_and_a_change_touches_one_of_them() {
    let mut many = pods(250, 80);
    let (slices, counts) = settle(&many, &[]);
    assert_eq!((sizes(&slices), counts), (vec![50, 100, 100], [3, 0, 0]));
    assert_eq!(settle(&many, &slices).1, [0, 0, 0]);
    many.remove(7);
    let (slices, counts) = settle(&many, &slices);
    assert_eq!((sizes(&slices), counts), (vec![49, 100, 100], [0, 1, 0]));
    many[0].deleting = true;
    assert_eq!(settle(&many, &slices).1, [0, 1, 0]);
}

#[test]
fn pods_with_another_number_of_the_port_have_a_slice_of_their_own() {
    let mixed: Vec<Object> = pods(2, 80).into_iter().chain(pods(3, 90)).collect();
    let (slices, _) = settle(&mixed, &[]);
    assert_eq!(sizes(&slices), [2, 3]);
    let (slices, counts) = settle(&mixed[..2], &slices);
    assert_eq!((sizes(&slices), counts), (vec![2], [0, 0, 1]));
}
