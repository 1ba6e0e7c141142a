//! Applies whose release takes its time.

use std::convert::Infallible;

use axum::{Router, body::Body, routing::get};
use flumen_model::Digest;
use futures::{StreamExt as _, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::server::{JOB, Server, answer};

const OTHER: &str = "/api/v1/environments/local/jobs/b";

/// Applies the SQL job `b` with this script.
async fn apply(server: &Server, script: &str) -> (StatusCode, Value) {
    let digest = Digest::from_sha256(&Sha256::digest(script).into());
    let path = format!("/api/v1/artifacts/{digest}?name=b.sql");
    let upload = server.request(Method::PUT, &path).body(script.to_owned());
    assert!(answer(upload).await.0.is_success());
    let spec = json!({
        "name": "b", "environment": "local", "flinkVersion": "1.20.5", "kind": "sql", "artifact": "b.sql",
    });
    let artifact = json!({"path": "b.sql", "name": "b.sql", "digest": digest, "role": "script", "size": script.len()});
    let body = json!({"spec": spec, "artifacts": [artifact], "start": false});
    answer(server.request(Method::PUT, OTHER).json(&body)).await
}

/// The operation as the last event has it.
async fn followed(server: &Server, operation: &Value) -> Value {
    let id = operation["id"].as_str().expect("an id");
    let events = server.request(Method::GET, &format!("/api/v1/operations/{id}/events"));
    let text = events.send().await.expect("an answer").text().await.expect("it ends");
    let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
    serde_json::from_str(last.expect("an event")).expect("JSON")
}

#[tokio::test]
async fn a_release_that_takes_its_time_is_an_operation_that_says_what_it_changed() {
    let server = Server::with_job().await.at_work().await;
    let script = "CREATE TABLE a (n INT) WITH ('connector' = 'kafka', 'format' = 'json');
        CREATE TABLE b (n INT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT n FROM a;";
    let (status, operation) = apply(&server, script).await;
    assert_eq!((status, operation["kind"].as_str()), (StatusCode::ACCEPTED, Some("apply")));
    assert_eq!(operation["job"], json!({"environment": "local", "name": "b"}));
    let ended = followed(&server, &operation).await;
    assert_eq!(
        (&ended["state"], &ended["applied"]["change"]),
        (&json!("succeeded"), &json!("created"))
    );
    let warning = ended["applied"]["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains("'kafka'"), "{ended}");
    let steps: Vec<_> =
        ended["steps"].as_array().expect("a list").iter().map(|step| &step["name"]).collect();
    assert_eq!(steps, ["check-script", "check-jars", "make-release"]);
    assert_eq!(server.get(OTHER).await.0, StatusCode::OK);
    // What is there already is said at once.
    let (status, again) = apply(&server, script).await;
    assert_eq!((status, &again["change"]), (StatusCode::OK, &json!("unchanged")));
}

#[tokio::test]
async fn a_release_that_cannot_be_made_says_what_a_refused_request_says() {
    let server = Server::with_job().await.at_work().await;
    let (_, operation) = apply(&server, "SHOW TABLES;").await;
    let ended = followed(&server, &operation).await;
    let error = &ended["error"];
    assert_eq!((&error["kind"], &error["code"]), (&json!("invalid"), &json!("invalid")), "{ended}");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("nothing in the script starts a job"), "{message}");
    assert_eq!(server.get(OTHER).await.0, StatusCode::NOT_FOUND);
    let list = server.get("/api/v1/operations?environment=local&job=b").await.1;
    assert_eq!(list["items"][0]["id"], operation["id"], "it is found without a job");
}

#[tokio::test]
async fn only_what_still_prepares_a_release_can_be_cancelled() {
    let server = Server::with_job().await;
    let (_, start) = server.post("start").await;
    let path = |id: &Value| format!("/api/v1/operations/{}/cancel", id.as_str().expect("an id"));
    let (status, problem) = answer(server.request(Method::POST, &path(&start["id"]))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("conflict")), "{problem}");
    let unknown = json!("0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21");
    let (status, _) = answer(server.request(Method::POST, &path(&unknown))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(server.get(JOB).await.0, StatusCode::OK);
}

#[tokio::test]
async fn while_files_are_fetched_it_is_said_how_far_that_is() {
    const FIRST: &str = "PK\x03\x04 the beginning";
    let server = Server::with_job().await.at_work().await;
    let begin = || async {
        let first = stream::iter([Ok::<_, Infallible>(FIRST)]);
        Body::from_stream(first.chain(stream::pending()))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/b.jar", listener.local_addr().expect("an address"));
    let files = Router::new().route("/b.jar", get(begin));
    let serving = tokio::spawn(async move { axum::serve(listener, files).await });
    let spec = json!({
        "name": "b", "environment": "local", "flinkVersion": "1.20.5", "artifact": "local:///b.jar",
        "dependencies": [{"url": url, "role": "lib"}],
    });
    let body = json!({"spec": spec, "start": false});
    let (status, operation) = answer(server.request(Method::PUT, OTHER).json(&body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
    let path = format!("/api/v1/operations/{}", operation["id"].as_str().expect("an id"));
    let events = server.request(Method::GET, &format!("{path}/events"));
    let mut events = events.send().await.expect("an answer");
    let (mut text, expected) = (String::new(), format!(r#""bytes":{},"#, FIRST.len()));
    while !text.contains(&expected) {
        let chunk = events.chunk().await.expect("an event").expect("it goes on");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let shown = server.get(&path).await.1;
    let progress = &shown["steps"][0]["progress"];
    let bytes = FIRST.len();
    assert_eq!(
        progress,
        &json!({"bytes": bytes, "files": 0, "totalFiles": 1, "cachedFiles": 0}),
        "{shown}"
    );
    let (status, _) = answer(server.request(Method::POST, &format!("{path}/cancel"))).await;
    assert_eq!(status, StatusCode::OK);
    let ended = followed(&server, &operation).await;
    assert_eq!(
        (&ended["state"], &ended["steps"][0]["progress"]),
        (&json!("canceled"), &Value::Null)
    );
    serving.abort();
}
