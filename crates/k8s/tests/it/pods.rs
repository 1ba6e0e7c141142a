//! A pod that ends: made with what it reads, watched, read from, deleted.

use std::time::Duration;

use flumen_k8s::{Deletion, Error, Observation, PodPhase, PodPort};
use flumen_model::Kind;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::{
    fake::{Fake, reply, status},
    real::{Real, namespace},
};

const NAME: &str = "sql-check-0123456789ab";
const LIMIT: Duration = Duration::from_secs(5);

fn objects() -> (Pod, ConfigMap) {
    let metadata = json!({ "name": NAME, "labels": { "app": NAME } });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "flink-main-container", "image": "flink" }],
        },
    });
    let config_map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "a": "b" },
    });
    (serde_json::from_value(pod).unwrap(), serde_json::from_value(config_map).unwrap())
}

#[tokio::test]
async fn a_pod_is_made_with_its_config_map_once() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let (pod, config_map) = objects();
    let made = cluster.create_pod(&namespace(), &pod, &config_map).await.unwrap();
    assert!(!made.existed);
    let owners = real.api("ConfigMap").get(NAME).await.unwrap().metadata.owner_references.unwrap();
    assert_eq!((owners[0].kind.as_str(), owners[0].uid.as_str()), ("Pod", made.uid.as_str()));
    let again = cluster.create_pod(&namespace(), &pod, &config_map).await.unwrap();
    assert_eq!((again.existed, again.uid), (true, made.uid));
}

#[tokio::test]
async fn what_becomes_of_a_pod_is_reported_until_it_is_gone() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let (pod, config_map) = objects();
    let made = cluster.create_pod(&namespace(), &pod, &config_map).await.unwrap();
    let mut seen = cluster.watch_pods_of(&namespace(), &NAME.parse().unwrap());
    let status = json!({ "status": {
        "phase": "Failed",
        "containerStatuses": [{
            "name": "flink-main-container", "image": "flink", "imageID": "", "ready": false, "restartCount": 0,
            "state": { "terminated": { "exitCode": 1, "reason": "Error" } },
        }],
    }});
    let pods = real.api("Pod");
    pods.patch_status(NAME, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    loop {
        if let Observation::Pod(pod) = seen.next().await.unwrap()
            && let Some(end) = pod.terminated
        {
            assert_eq!((pod.phase, end.exit_code), (PodPhase::Failed, 1));
            break;
        }
    }
    let deleted = cluster.delete_pod(&namespace(), NAME).await.unwrap();
    assert_eq!(deleted, Deletion::Underway);
    loop {
        if let Observation::PodGone { uid, .. } = seen.next().await.unwrap() {
            assert_eq!(uid, made.uid);
            break;
        }
    }
    assert_eq!(cluster.delete_pod(&namespace(), NAME).await.unwrap(), Deletion::Gone);
}

fn port() -> PodPort {
    PodPort { namespace: namespace(), pod: "a".to_owned(), port: 8099 }
}

#[tokio::test]
async fn a_pod_that_may_not_be_created_is_told_by_its_name() {
    let fake = Fake::start(|_, _| status(403, "Forbidden", "exceeded quota")).await;
    let (pod, config_map) = objects();
    let refused = fake.cluster().await.create_pod(&namespace(), &pod, &config_map).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().contains("Pod default/sql-check-0123456789ab"), "{error}");
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
