use serde_json::json;

use super::*;
use crate::facts::Facts;
use crate::kinds::Kind;

fn set(name: &str, app: &str, owner: Option<&str>) -> Object {
    let set: ReplicaSet = serde_json::from_value(json!({
        "metadata": {}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": app}}},
    }))
    .expect("replica set");
    let facts = Facts::ReplicaSet(Box::new((&set).into()));
    let object = Object::bare(Kind::ReplicaSet, Key::new("ns", name), facts);
    match owner {
        Some(owner) => object.owned_by(("apps/v1", "Deployment"), owner),
        None => object,
    }
}

fn pod(name: &str, app: &str, node: &str) -> Object {
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"labels": {"app": app}}, "spec": {"nodeName": node, "containers": []},
    }))
    .expect("pod");
    Object::bare(Kind::Pod, Key::new("ns", name), Facts::Pod(Box::new((&pod).into())))
}

#[test]
fn neighbours_are_what_the_sets_of_the_same_owner_select() {
    let mut world = World::default();
    for set in [set("new", "x", Some("d")), set("old", "y", Some("d")), set("other", "z", None)] {
        world.watched(set);
    }
    for pod in [
        pod("a", "x", "one"),
        pod("b", "y", "one"),
        pod("c", "z", "one"),
        pod("d", "x", "two"),
        Object { deleting: true, ..pod("e", "x", "two") },
    ] {
        world.watched(pod);
    }
    let near = |set: &str| {
        let mut near: Vec<_> =
            neighbours(&world, world.get(set).expect("set")).into_iter().collect();
        near.sort();
        near
    };
    assert_eq!(near("new"), [("one".to_owned(), 2), ("two".to_owned(), 1)]);
    assert_eq!(near("other"), [], "nobody owns it");
}
