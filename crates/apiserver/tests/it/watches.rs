//! Watches as streams.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn create(cluster: &Cluster, name: &str, label: &str) -> u64 {
    let object = json!({"metadata": {"name": name, "labels": {"app": label}}});
    revision(&cluster.must(Method::POST, CONFIG_MAPS, &object).await)
}

async fn relabel(cluster: &Cluster, name: &str, label: &str) -> u64 {
    let patch = json!({"metadata": {"labels": {"app": label}}});
    revision(&cluster.must(Method::PATCH, &format!("{CONFIG_MAPS}/{name}"), &patch).await)
}

fn revision(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_object_that_stops_being_selected_is_shown_as_deleted_in_its_last_selected_state() {
    let cluster = Cluster::start().await;
    create(&cluster, "a", "one").await;
    let mut lines = cluster
        .watch(&format!("{CONFIG_MAPS}?watch=1&labelSelector=app%3Done&resourceVersion=0"))
        .await;
    assert_eq!(lines.next_short().await, "ADDED a");
    let moved = relabel(&cluster, "a", "two").await;
    let event = lines.next().await.unwrap();
    assert_eq!(event["type"], "DELETED");
    assert_eq!(event["object"]["metadata"]["labels"]["app"], "one");
    assert_eq!(revision(&event["object"]), moved);
    relabel(&cluster, "a", "one").await;
    assert_eq!(lines.next_short().await, "ADDED a");
    relabel(&cluster, "a", "one").await;
    cluster.must(Method::PATCH, &format!("{CONFIG_MAPS}/a"), &json!({"data": {"x": "y"}})).await;
    assert_eq!(lines.next_short().await, "MODIFIED a");
}

#[tokio::test]
async fn a_watch_from_a_revision_shows_only_what_came_after_it() {
    let cluster = Cluster::start().await;
    let first = create(&cluster, "a", "x").await;
    create(&cluster, "b", "x").await;
    let mut lines =
        cluster.watch(&format!("{CONFIG_MAPS}?watch=true&resourceVersion={first}")).await;
    assert_eq!(lines.next_short().await, "ADDED b");
    let path =
        format!("{CONFIG_MAPS}?watch=true&resourceVersion={first}&fieldSelector=metadata.name%3Dc");
    let mut one = cluster.watch(&path).await;
    create(&cluster, "c", "x").await;
    assert_eq!(one.next_short().await, "ADDED c");
}

#[tokio::test]
async fn a_revision_that_is_no_longer_known_is_answered_with_410() {
    let cluster = Cluster::start_with(|settings| settings.watch_window = 3).await;
    let first = create(&cluster, "a", "x").await;
    for name in ["b", "c", "d", "e", "f"] {
        create(&cluster, name, "x").await;
    }
    let mut lines =
        cluster.watch(&format!("{CONFIG_MAPS}?watch=true&resourceVersion={first}")).await;
    let event = lines.next().await.unwrap();
    assert_eq!(event["type"], "ERROR");
    assert_eq!(event["object"]["code"], 410);
    assert_eq!(event["object"]["reason"], "Expired");
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_watch_that_falls_behind_is_told_so() {
    let cluster = Cluster::start_with(|settings| settings.watch_window = 3).await;
    let mut lines = cluster
        .watch(&format!("{CONFIG_MAPS}?watch=true&resourceVersion=0&labelSelector=app"))
        .await;
    create(&cluster, "a", "x").await;
    assert_eq!(lines.next_short().await, "ADDED a");
    for name in ["b", "c", "d", "e", "f"] {
        create(&cluster, name, "x").await;
    }
    assert_eq!(lines.next_short().await, "ERROR");
}

#[tokio::test]
async fn bookmarks_advance_while_nothing_of_the_kind_happens() {
    let cluster =
        Cluster::start_with(|settings| settings.bookmark_interval = Duration::from_millis(20))
            .await;
    let path = "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=0";
    let mut lines = cluster.watch(path).await;
    let first = lines.next().await.unwrap();
    assert_eq!(first["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let made = create(&cluster, "a", "x").await;
    loop {
        let event = lines.next().await.unwrap();
        assert_eq!(event["type"], "BOOKMARK");
        assert_eq!(event["object"]["kind"], "Pod");
        if revision(&event["object"]) >= made {
            break;
        }
    }
}

#[tokio::test]
async fn initial_events_are_sent_as_asked() {
    let cluster = Cluster::start().await;
    create(&cluster, "a", "x").await;
    let selector = "labelSelector=app&watch=true&resourceVersionMatch=NotOlderThan";
    let asked = format!("{CONFIG_MAPS}?{selector}&sendInitialEvents=true&allowWatchBookmarks=true");
    let mut lines = cluster.watch(&asked).await;
    assert_eq!(lines.next_short().await, "ADDED a");
    assert_eq!(lines.next_short().await, "BOOKMARK");
    let mut lines =
        cluster.watch(&format!("{CONFIG_MAPS}?{selector}&sendInitialEvents=false")).await;
    create(&cluster, "b", "x").await;
    assert_eq!(lines.next_short().await, "ADDED b");
    let (status, answer) =
        cluster.get(&format!("{CONFIG_MAPS}?watch=true&sendInitialEvents=true")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_up() {
    let cluster = Cluster::start().await;
    let path = format!(
        "{CONFIG_MAPS}?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&labelSelector=app"
    );
    let mut lines = cluster.watch(&path).await;
    assert_eq!(lines.next_short().await, "BOOKMARK");
    assert_eq!(lines.next_short().await, "BOOKMARK");
    assert_eq!(lines.next_short().await, "end");
}

#[tokio::test]
async fn watch_false_is_a_list() {
    let cluster = Cluster::start().await;
    let (_, answer) = cluster.get(&format!("{CONFIG_MAPS}?watch=false")).await;
    assert_eq!(answer["kind"], "ConfigMapList");
}

#[tokio::test]
async fn a_watch_goes_on_after_a_restart_where_it_was() {
    let cluster = Cluster::start().await;
    let first = create(&cluster, "a", "x").await;
    create(&cluster, "b", "x").await;
    let cluster = cluster.restart().await;
    let mut lines =
        cluster.watch(&format!("{CONFIG_MAPS}?watch=true&resourceVersion={first}")).await;
    assert_eq!(lines.next_short().await, "ADDED b");
    create(&cluster, "c", "x").await;
    assert_eq!(lines.next_short().await, "ADDED c");
}

#[tokio::test]
async fn tables_are_streamed_with_their_columns_once() {
    let cluster = Cluster::start().await;
    create(&cluster, "a", "x").await;
    let service = cluster.server.in_process("admin", &["system:masters"]);
    let request = http::Request::get(format!("{CONFIG_MAPS}?watch=true&labelSelector=app"))
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = tower::ServiceExt::oneshot(service, request).await.unwrap();
    let mut lines = crate::harness::lines(response);
    let first = lines.next().await.unwrap();
    assert_eq!(first["object"]["columnDefinitions"][0]["name"], "Name");
    assert_eq!(first["object"]["rows"][0]["cells"][0], "a");
    assert_eq!(first["object"]["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    create(&cluster, "b", "x").await;
    let second = lines.next().await.unwrap();
    assert_eq!(second["object"]["columnDefinitions"], json!(null));
    assert_eq!(second["object"]["rows"][0]["cells"][0], "b");
}
