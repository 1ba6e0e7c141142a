//! Objects through the `kube` crate.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use serde_json::json;

use crate::harness::Cluster;

fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "data": {"key": value}
    }))
    .unwrap()
}

#[tokio::test]
async fn an_object_is_made_read_changed_and_deleted_over_tls() {
    let cluster = Cluster::start().await;
    let api: Api<ConfigMap> = Api::default_namespaced(cluster.tls_client().await);
    let made = api.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    assert!(made.metadata.uid.is_some());
    let mut read = api.get("a").await.unwrap();
    assert_eq!(read, made);
    read.data = Some([("key".to_owned(), "2".to_owned())].into());
    let replaced = api.replace("a", &PostParams::default(), &read).await.unwrap();
    assert_ne!(replaced.metadata.resource_version, made.metadata.resource_version);
    let stale = api.replace("a", &PostParams::default(), &made).await.unwrap_err();
    assert!(
        matches!(stale, kube::Error::Api(status) if status.code == 409 && status.reason == "Conflict")
    );
    let patch = Patch::Merge(json!({"data": {"other": "3"}}));
    let patched = api.patch("a", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(patched.data.unwrap().len(), 2);
    api.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(api.get_opt("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_watch_shows_what_exists_and_then_every_change() {
    let cluster = Cluster::start().await;
    let api: Api<ConfigMap> = Api::default_namespaced(cluster.client());
    api.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    let events = api.watch(&WatchParams::default().labels("app in (a,b)"), "0").await.unwrap();
    let mut events = events.boxed();
    api.create(&PostParams::default(), &config_map("b", "1")).await.unwrap();
    api.create(&PostParams::default(), &config_map("c", "1")).await.unwrap();
    api.delete("a", &DeleteParams::default()).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let event = events.try_next().await.unwrap().unwrap();
        seen.push(match event {
            WatchEvent::Added(object) => format!("added {}", object.metadata.name.unwrap()),
            WatchEvent::Deleted(object) => format!("deleted {}", object.metadata.name.unwrap()),
            WatchEvent::Bookmark(_) => "bookmark".to_owned(),
            other => format!("{other:?}"),
        });
    }
    assert_eq!(seen, ["added a", "bookmark", "added b", "deleted a"]);
}

#[tokio::test]
async fn objects_and_revisions_survive_a_restart() {
    let cluster = Cluster::start().await;
    let api: Api<ConfigMap> = Api::default_namespaced(cluster.client());
    let made = api.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    drop(api);
    let cluster = cluster.restart().await;
    let api: Api<ConfigMap> = Api::default_namespaced(cluster.client());
    assert_eq!(api.get("a").await.unwrap(), made);
    let next = api.create(&PostParams::default(), &config_map("b", "1")).await.unwrap();
    let number = |object: &ConfigMap| -> u64 {
        object.metadata.resource_version.as_ref().unwrap().parse().unwrap()
    };
    assert!(number(&next) > number(&made));
    let list = api.list(&ListParams::default().labels("app=b")).await.unwrap();
    assert_eq!(list.items.len(), 1);
}

#[tokio::test]
async fn apply_makes_changes_and_refuses_what_others_manage() {
    let cluster = Cluster::start().await;
    let api: Api<ConfigMap> = Api::default_namespaced(cluster.client());
    let with = |data: serde_json::Value| {
        Patch::Apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}),
        )
    };
    let one = PatchParams::apply("one");
    let made = api.patch("a", &one, &with(json!({"x": "1", "y": "1"}))).await.unwrap();
    let same = api.patch("a", &one, &with(json!({"x": "1", "y": "1"}))).await.unwrap();
    assert_eq!(made, same);
    let refused =
        api.patch("a", &PatchParams::apply("two"), &with(json!({"x": "2"}))).await.unwrap_err();
    let kube::Error::Api(status) = refused else { panic!("{refused}") };
    assert_eq!(status.code, 409);
    assert_eq!(status.message, "Apply failed with 1 conflict: conflict with \"one\": .data.x");
    api.patch("a", &PatchParams::apply("two").force(), &with(json!({"x": "2"}))).await.unwrap();
    let left = api.patch("a", &one, &with(json!({}))).await.unwrap();
    assert_eq!(left.data, Some([("x".to_owned(), "2".to_owned())].into()));
}

#[tokio::test]
async fn events_are_the_same_in_both_groups() {
    use http::Method;
    let cluster = Cluster::start().await;
    let new = "/apis/events.k8s.io/v1/namespaces/default/events";
    let old = "/api/v1/namespaces/default/events";
    let event = json!({
        "metadata": {"name": "e"}, "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
        "note": "it ran", "reason": "Started", "type": "Normal", "action": "Run",
        "reportingController": "kubelet", "reportingInstance": "n", "eventTime": "2026-01-02T03:04:05.678901Z"
    });
    let made = cluster.must(Method::POST, new, &event).await;
    assert_eq!(
        (&made["note"], &made["apiVersion"]),
        (&json!("it ran"), &json!("events.k8s.io/v1"))
    );
    let (_, list) = cluster.get(&format!("{old}?fieldSelector=involvedObject.name%3Dp")).await;
    assert_eq!(
        (&list["items"][0]["message"], &list["items"][0]["involvedObject"]["kind"]),
        (&json!("it ran"), &json!("Pod"))
    );
    cluster.must(Method::PATCH, &format!("{old}/e"), &json!({"count": 2})).await;
    cluster.must(Method::PATCH, &format!("{new}/e"), &json!({"note": "it ran again"})).await;
    let (_, list) = cluster.get(&format!("{new}?fieldSelector=regarding.name%3Dp")).await;
    assert_eq!(
        (&list["items"][0]["note"], &list["items"][0]["deprecatedCount"]),
        (&json!("it ran again"), &json!(2))
    );
    assert_eq!(list["items"][0].get("apiVersion"), None);
}
