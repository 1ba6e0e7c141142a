//! Environments and their storage.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, answer};

const PROD: &str = "/api/v1/environments/prod";

fn spec(storage: &Value) -> Value {
    json!({"cluster": "local", "namespace": "flink", "registry": "127.0.0.1:1", "storage": storage})
}

fn s3(credentials: &Value) -> Value {
    json!({
        "kind": "s3", "place": "s3://flink/prod", "endpoint": "http://127.0.0.1:1",
        "pathStyleAccess": true, "credentials": credentials,
    })
}

async fn put(server: &Server, storage: &Value) -> (StatusCode, Value) {
    answer(server.request(Method::PUT, PROD).json(&spec(storage))).await
}

#[tokio::test]
async fn what_is_shown_of_a_storage_can_be_sent_again() {
    let server = Server::start().await;
    for storage in [
        json!({"kind": "file", "place": "/mnt/flink", "claim": "shared"}),
        json!({"kind": "hdfs", "place": "hdfs://nn:8020/a", "hadoopConfigMap": "hadoop"}),
        json!({
            "kind": "oss", "place": "oss://flink/a", "endpoint": "https://oss-cn-hangzhou.aliyuncs.com",
            "credentials": {"secret": "keys"},
        }),
        s3(&json!({"secret": "keys", "accessKeyEntry": "id"})),
    ] {
        let (status, saved) = put(&server, &storage).await;
        assert_eq!(status, StatusCode::OK, "{saved}");
        let (_, shown) = server.get(PROD).await;
        assert_eq!(shown, saved);
        let (status, again) = put(&server, &shown["storage"]).await;
        assert_eq!((status, &again), (StatusCode::OK, &shown), "nothing changed");
    }
    let (_, shown) = server.get(PROD).await;
    let credentials =
        json!({"secret": "keys", "accessKeyEntry": "id", "secretKeyEntry": "secret-key"});
    assert_eq!(shown["storage"]["credentials"], credentials);
    assert_eq!(shown["storage"]["plugin"], "presto");
}

#[tokio::test]
async fn a_storage_that_cannot_be_is_refused_with_the_reason_and_without_what_is_secret() {
    let server = Server::start().await;
    for (storage, reason) in [
        (json!({"kind": "s3", "place": "s3://flink/../other"}), "no part of the path is . or .."),
        (json!({"kind": "s3", "place": "s3://AKIA:hunter2@flink/a"}), "no place for keys"),
        (json!({"kind": "s3", "place": "oss://flink/a"}), "lies at s3://"),
        (json!({"kind": "gcs", "place": "gs://flink/a"}), "gcs"),
        (json!({"kind": "s3", "place": "s3://flink", "pathStyle": true}), "pathStyle"),
        (s3(&json!({"accessKey": "AKIA"})), "secretKey is missing"),
        (s3(&json!({"secretKey": "hunter2"})), "accessKey is missing"),
        (s3(&json!({})), "name a Secret"),
        (s3(&json!({"secret": "a", "accessKey": "AKIA", "secretKey": "hunter2"})), "not both"),
        (s3(&json!({"accessKey": "AKIA", "secretKey": 31_415_926})), "stands in quotes"),
        (s3(&json!({"accessKey": "AKIA", "secretKey": "hunter2\n"})), "end of a line"),
    ] {
        let (status, problem) = put(&server, &storage).await;
        let text = problem.to_string();
        assert!(status.is_client_error() && text.contains(reason), "{storage}: {text}");
        for secret in ["hunter2", "AKIA", "31415926"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert_eq!(server.get(PROD).await.0, StatusCode::NOT_FOUND, "nothing was saved");
}

#[tokio::test]
async fn from_where_pods_fetch_is_shown_and_is_the_server_where_nothing_is_said() {
    let server = Server::start().await;
    let place = s3(&json!({"secret": "keys"}));
    let (_, saved) = put(&server, &place).await;
    assert_eq!(saved["fetchFrom"], "server");
    let say = async |storage: &Value, from: &str| {
        let mut spec = spec(storage);
        spec["fetchFrom"] = json!(from);
        answer(server.request(Method::PUT, PROD).json(&spec)).await
    };
    let (status, saved) = say(&place, "storage").await;
    assert_eq!((status, &saved["fetchFrom"]), (StatusCode::OK, &json!("storage")));
    for (storage, from, reason) in [
        (&json!({"kind": "s3", "place": "s3://flink/a"}), "storage", "it has no credentials"),
        (&json!({"kind": "file", "place": "/mnt/flink"}), "storage", "it is a directory"),
        (&place, "registry", "registry"),
    ] {
        let (status, problem) = say(storage, from).await;
        let text = problem.to_string();
        assert!(status.is_client_error() && text.contains(reason), "{text}");
    }
    assert_eq!(server.get(PROD).await.1, saved, "nothing changed");
}

#[tokio::test]
async fn keys_that_cannot_be_put_into_the_cluster_are_kept_nowhere() {
    let server = Server::start().await;
    // No cluster answers here.
    let given = json!({"accessKey": "AKIA31415926", "secretKey": "hunter2hunter2"});
    let (status, problem) = put(&server, &s3(&given)).await;
    assert!(status.is_client_error() || status.is_server_error(), "{problem}");
    let text = problem.to_string();
    assert!(!text.contains("hunter2") && !text.contains("AKIA"), "{text}");
    assert_eq!(server.get(PROD).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_check_tells_what_it_saw() {
    let server = Server::start().await;
    let path = "/api/v1/environments/local/check";
    let (status, check) = answer(server.request(Method::POST, path)).await;
    assert_eq!(status, StatusCode::OK);
    let names: Vec<_> =
        check["checks"].as_array().into_iter().flatten().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["registry", "write", "list", "read", "delete"], "{check}");
    let outcomes = check["checks"].as_array().expect("a list");
    // Nobody listens where this server's registry should be.
    let failed: Vec<_> = outcomes.iter().filter(|it| it["outcome"] != "ok").collect();
    let [registry] = failed[..] else { panic!("{check}") };
    assert_eq!(
        (registry["name"].as_str(), registry["outcome"].as_str()),
        (Some("registry"), Some("fail"))
    );
    let (status, _) = answer(server.request(Method::POST, "/api/v1/environments/none/check")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_environment_in_a_cluster_that_is_not_there_is_refused_by_the_name_of_the_cluster() {
    let server = Server::start().await;
    let mut spec = spec(&json!({"kind": "file", "place": "/mnt/flink", "claim": "shared"}));
    spec["cluster"] = "eu-1".into();
    let (status, problem) = answer(server.request(Method::PUT, PROD).json(&spec)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("cluster.not_found")));
    assert_eq!(problem["detail"], "there is no cluster eu-1");
    assert!(problem["hint"].to_string().contains("`flumen cluster add` adds one"), "{problem}");
    assert_eq!(server.get(PROD).await.0, StatusCode::NOT_FOUND);
}
