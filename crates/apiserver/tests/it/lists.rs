//! Lists in pieces, and at given revisions.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn create(cluster: &Cluster, name: &str) {
    let object = json!({"metadata": {"name": name, "labels": {"app": "x"}}});
    cluster.must(Method::POST, CONFIG_MAPS, &object).await;
}

fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn pieces_of_a_list_are_of_one_state() {
    let cluster = Cluster::start().await;
    for name in ["a", "b", "c", "d"] {
        create(&cluster, name).await;
    }
    let path = format!("{CONFIG_MAPS}?labelSelector=app&limit=2");
    let (_, first) = cluster.get(&path).await;
    assert_eq!(names(&first), ["a", "b"]);
    create(&cluster, "bb").await;
    cluster.must(Method::DELETE, &format!("{CONFIG_MAPS}/c"), &Value::Null).await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (_, second) = cluster.get(&format!("{path}&continue={token}")).await;
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(second["metadata"].get("continue"), None);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
}

#[tokio::test]
async fn a_continuation_ends_with_the_window() {
    let cluster = Cluster::start_with(|settings| settings.watch_window = 2).await;
    for name in ["a", "b", "c"] {
        create(&cluster, name).await;
    }
    let (_, first) = cluster.get(&format!("{CONFIG_MAPS}?limit=1")).await;
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    for name in ["d", "e", "f"] {
        create(&cluster, name).await;
    }
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (status, answer) = cluster.get(&format!("{CONFIG_MAPS}?limit=1&continue={token}")).await;
    assert_eq!((status, &answer["reason"]), (StatusCode::GONE, &json!("Expired")));
}

#[tokio::test]
async fn items_have_no_kind_of_their_own_and_metadata_can_be_had_alone() {
    let cluster = Cluster::start().await;
    create(&cluster, "a").await;
    let (_, list) = cluster.get(&format!("{CONFIG_MAPS}?labelSelector=app")).await;
    assert_eq!(list["items"][0].get("kind"), None);
    let request = http::Request::get(format!("{CONFIG_MAPS}?labelSelector=app"))
        .header("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
        .body(axum::body::Body::empty())
        .unwrap();
    let (_, list) = cluster.send(request).await;
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["metadata"]["name"], "a");
    assert_eq!(list["items"][0].get("data"), None);
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let cluster = Cluster::start().await;
    create(&cluster, "a").await;
    create(&cluster, "b").await;
    let gone = cluster
        .must(Method::DELETE, &format!("{CONFIG_MAPS}?labelSelector=app%3Dx"), &Value::Null)
        .await;
    assert_eq!(names(&gone), ["a", "b"]);
    let (_, left) = cluster.get(CONFIG_MAPS).await;
    assert_eq!(names(&left), ["kube-root-ca.crt"]);
}

#[tokio::test]
async fn fields_select_by_equality_and_only_those_that_the_real_server_knows() {
    let cluster = Cluster::start().await;
    let pods = "/api/v1/namespaces/default/pods";
    for name in ["a", "b"] {
        let pod = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        cluster.must(Method::POST, pods, &pod).await;
    }
    let failed = json!({"status": {"phase": "Failed"}});
    cluster.must(Method::PATCH, &format!("{pods}/b/status"), &failed).await;
    for (selector, selected) in [
        ("status.phase%3DPending", &["a"][..]),
        ("status.phase%21%3DPending", &["b"]),
        ("metadata.namespace%3D%3Ddefault,metadata.name%21%3Da", &["b"]),
        ("spec.restartPolicy%3DAlways,status.phase%3DRunning", &[]),
    ] {
        let (_, list) = cluster.get(&format!("{pods}?fieldSelector={selector}")).await;
        assert_eq!(names(&list), selected, "{selector}");
    }
    let (status, answer) = cluster.get(&format!("{pods}?fieldSelector=spec.color%3Dred")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer["message"], "field label not supported: spec.color");
}
