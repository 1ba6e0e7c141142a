use std::time::Duration;

use flumen_k8s::{Deletion, Error, PodPort};
use flumen_model::Kind;
use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use serde_json::json;

use crate::{
    fake::{Fake, reply, status},
    real::namespace,
};

const LIMIT: Duration = Duration::from_secs(5);

fn objects() -> (ConfigMap, Pod) {
    let config_map = json!({ "metadata": { "name": "a" } });
    let pod = json!({ "metadata": { "name": "a" }, "spec": { "containers": [] } });
    (serde_json::from_value(config_map).unwrap(), serde_json::from_value(pod).unwrap())
}

fn port() -> PodPort {
    PodPort { namespace: namespace(), pod: "a".to_owned(), port: 8099 }
}

#[tokio::test]
async fn a_pod_is_created_after_what_it_reads_and_a_repetition_is_none() {
    let fake = Fake::start(|seen, _| match seen.path.as_str() {
        path if path.contains("configmaps") => status(409, "AlreadyExists", "there"),
        _ => reply(201, seen.body.clone()),
    })
    .await;
    let (config_map, pod) = objects();
    fake.cluster().await.create_pod(&namespace(), &config_map, &pod).await.unwrap();
    let asked: Vec<_> =
        fake.seen().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    assert!(asked[0].starts_with("POST /api/v1/namespaces/default/configmaps?"), "{asked:?}");
    assert!(asked[1].starts_with("POST /api/v1/namespaces/default/pods?"), "{asked:?}");
}

#[tokio::test]
async fn a_pod_that_may_not_be_created_is_told_by_its_name() {
    let fake = Fake::start(|_, _| status(403, "Forbidden", "exceeded quota")).await;
    let (config_map, pod) = objects();
    let refused = fake.cluster().await.create_pod(&namespace(), &config_map, &pod).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().contains("ConfigMap default/a"), "{error}");
}

#[tokio::test]
async fn only_the_pod_that_was_seen_is_deleted() {
    let fake = Fake::start(|seen, _| match seen.method.as_str() {
        "GET" => reply(200, json!({ "metadata": { "name": "a", "uid": "u-1" } }).to_string()),
        _ => reply(
            200,
            json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" }).to_string(),
        ),
    })
    .await;
    let deletion = fake.cluster().await.delete_pod(&namespace(), "a").await.unwrap();
    assert_eq!(deletion, Deletion::Underway);
    let body = String::from_utf8(fake.seen()[1].body.to_vec()).unwrap();
    assert!(body.contains("u-1"), "{body}");
    let gone = Fake::start(|_, _| status(404, "NotFound", "x")).await;
    let deletion = gone.cluster().await.delete_pod(&namespace(), "a").await.unwrap();
    assert_eq!(deletion, Deletion::Gone);
}

#[tokio::test]
async fn only_the_names_of_entries_are_told() {
    let fake = Fake::start(|seen, _| {
        let object = if seen.path.contains("secrets") {
            json!({ "metadata": {}, "data": { "username": "bWU=", "password": "eA==" } })
        } else {
            json!({ "metadata": {}, "data": { "settings.xml": "x" }, "binaryData": { "b": "eA==" } })
        };
        reply(200, object.to_string())
    })
    .await;
    let cluster = fake.cluster().await;
    let keys = cluster.secret_keys(&namespace(), "git").await.unwrap().unwrap();
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["password", "username"]);
    let keys = cluster.config_map_keys(&namespace(), "mirror").await.unwrap().unwrap();
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["b", "settings.xml"]);
    let none = Fake::start(|_, _| status(404, "NotFound", "x")).await;
    assert_eq!(none.cluster().await.secret_keys(&namespace(), "git").await.unwrap(), None);
}

#[tokio::test]
async fn a_file_is_read_from_a_pod_through_the_api_server() {
    let fake = Fake::start(|_, _| {
        let mut answer = reply(200, "bytes");
        answer.headers_mut().insert("x-flumen-sha256", "00".parse().unwrap());
        answer
    })
    .await;
    let answer = fake.cluster().await.read_from_pod(&port(), "/a", LIMIT).await.unwrap().unwrap();
    let (head, body) = answer.into_parts();
    assert_eq!(head.headers["x-flumen-sha256"], "00");
    let pieces: Vec<_> = body.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"bytes");
    assert_eq!(fake.seen()[0].path, "/api/v1/namespaces/default/pods/a:8099/proxy/a");
}

#[tokio::test]
async fn a_pod_that_does_not_listen_yet_is_told_from_one_that_refuses() {
    for (code, reason, message) in [
        (503, "ServiceUnavailable", "error trying to reach service: connection refused"),
        (400, "BadRequest", "address not allowed"),
        (404, "NotFound", "pods \"a\" not found"),
    ] {
        let fake = Fake::start(move |_, _| status(code, reason, message)).await;
        let cluster = fake.cluster().await;
        assert!(cluster.read_from_pod(&port(), "/a", LIMIT).await.unwrap().is_none(), "{code}");
    }
    let denied = Fake::start(|_, _| status(403, "Forbidden", "no pods/proxy")).await;
    let cluster = denied.cluster().await;
    let error = cluster.read_from_pod(&port(), "/a", LIMIT).await.err().unwrap();
    assert!(
        matches!(error, Error::ReadFromPod { .. }) && error.kind() == Kind::Denied,
        "{error:?}"
    );
    let other = Fake::start(|_, _| reply(404, "<h1>404 Not Found</h1>")).await;
    let cluster = other.cluster().await;
    assert!(cluster.read_from_pod(&port(), "/a", LIMIT).await.is_err());
}
