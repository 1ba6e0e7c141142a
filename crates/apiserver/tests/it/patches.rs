//! Patches of random objects: what is stored can be written back and applied again.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use proptest::{
    collection::btree_map,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::harness::Cluster;

const CONFIG_MAP: &str = "/api/v1/namespaces/default/configmaps/a";
const ROUNDS: usize = 300;

/// What a patch may say of a map, null among it, which removes.
fn map(names: &'static [&'static str]) -> BoxedStrategy<Value> {
    let value = prop_oneof![Just(Value::Null), "[a-z]{0,3}".prop_map(Value::from)];
    let map = btree_map(select(names), value, 0..4);
    map.prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        .boxed()
}

fn patch() -> BoxedStrategy<Value> {
    const KEYS: &[&str] = &["a", "b", "c", "d"];
    const LABELS: &[&str] = &["x", "y.example.org/z"];
    let part = |names| prop_oneof![Just(Value::Null), map(names), map(names)];
    (part(KEYS), part(LABELS), part(LABELS))
        .prop_map(|(data, labels, annotations)| {
            json!({"data": data, "metadata": {"labels": labels, "annotations": annotations}})
        })
        .boxed()
}

/// The merge of RFC 7386, as it stands there.
fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut result = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            result.remove(name);
        } else {
            let old = result.get(name).cloned().unwrap_or_default();
            result.insert(name.clone(), merged(&old, value));
        }
    }
    result.into()
}

/// What a patch can change; an empty map is as good as none.
fn content(object: &Value) -> Vec<Value> {
    ["/data", "/metadata/labels", "/metadata/annotations"]
        .map(|part| object.pointer(part).filter(|part| **part != json!({})).cloned())
        .map(Option::unwrap_or_default)
        .into()
}

async fn change(cluster: &Cluster, kind: &str, query: &str, patch: &Value) -> Value {
    let request = Request::patch(format!("{CONFIG_MAP}?{query}"))
        .header("content-type", kind)
        .body(Body::from(patch.to_string()))
        .unwrap();
    let (status, answer) = cluster.send(request).await;
    assert_eq!(status, StatusCode::OK, "{patch}: {answer}");
    answer
}

#[tokio::test]
async fn what_a_patch_made_can_be_written_back_and_made_again() {
    let cluster = Cluster::start().await;
    let object = json!({"metadata": {"name": "a"}, "data": {"a": "1"}});
    let mut stored = cluster.must(Method::POST, CONFIG_MAP.trim_end_matches("/a"), &object).await;
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    for _ in 0..ROUNDS {
        let kinds = (patch(), any::<bool>()).new_tree(&mut runner).unwrap().current();
        let (patch, strategic) = kinds;
        let kind = if strategic {
            "application/strategic-merge-patch+json"
        } else {
            "application/merge-patch+json"
        };
        let made = change(&cluster, kind, "", &patch).await;
        // For maps of texts both kinds say the same.
        assert_eq!(content(&made), content(&merged(&stored, &patch)), "{stored}\n{patch}");
        assert_eq!(change(&cluster, kind, "", &patch).await, made, "twice {patch}");
        assert_eq!(cluster.must(Method::PUT, CONFIG_MAP, &made).await, made, "{patch}");
        let mut applied = merged(&Value::Null, &patch);
        applied["apiVersion"] = "v1".into();
        applied["kind"] = "ConfigMap".into();
        applied["metadata"]["name"] = "a".into();
        let query = "fieldManager=m&force=true";
        let kind = "application/apply-patch+yaml";
        stored = change(&cluster, kind, query, &applied).await;
        assert_eq!(change(&cluster, kind, query, &applied).await, stored, "twice {applied}");
    }
}
