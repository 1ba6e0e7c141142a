//! Scripts that Flink is asked about, as far as no cluster is reached.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, answer};

const EXPLAIN: &str = "/api/v1/sql/explain";

async fn explain(server: &Server, changes: &Value) -> (StatusCode, Value) {
    let mut body = json!({
        "script": "CREATE TABLE a (n INT) WITH ('connector' = 'datagen'); INSERT INTO a SELECT 1;",
        "flinkVersion": "1.20.5",
        "environment": "local",
    });
    for (key, value) in changes.as_object().expect("an object") {
        body[key] = value.clone();
    }
    answer(server.request(Method::POST, EXPLAIN).json(&body)).await
}

#[tokio::test]
async fn what_is_known_to_be_wrong_with_a_script_is_an_answer() {
    let server = Server::with_job().await;
    let (status, answer) = explain(&server, &json!({"script": "SHOW TABLES;"})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!((&answer["explained"], &answer["statements"]), (&json!(false), &json!([])));
    let finding = &answer["findings"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&json!("noJob"), &json!("error")));
    assert_eq!((&finding["line"], &finding["column"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_request_that_cannot_be_is_refused() {
    let server = Server::with_job().await;
    let anonymous = server.anonymous(Method::POST, EXPLAIN).json(&json!({}));
    assert_eq!(answer(anonymous).await.0, StatusCode::UNAUTHORIZED);
    for (changes, status, code) in [
        (json!({"flinkVersion": "1.19.3"}), StatusCode::NOT_FOUND, "not_found"),
        (json!({"environment": "nowhere"}), StatusCode::NOT_FOUND, "not_found"),
        (json!({"timeoutSeconds": 0}), StatusCode::BAD_REQUEST, "invalid"),
        (json!({"scripts": "x"}), StatusCode::BAD_REQUEST, "request.body"),
        (
            json!({"script": "x".repeat(2 << 20)}),
            StatusCode::PAYLOAD_TOO_LARGE,
            "request.too_large",
        ),
    ] {
        let (found, problem) = explain(&server, &changes).await;
        assert_eq!((found, problem["code"].as_str()), (status, Some(code)), "{problem}");
    }
}

#[tokio::test]
async fn what_keeps_flink_from_an_answer_is_an_error() {
    let server = Server::with_job().await;
    let (status, problem) = explain(&server, &json!({})).await;
    // Its registry is not there.
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("registry.request")),
        "{problem}"
    );
    assert_eq!(server.store().await.explanations().await.expect("read"), []);
}
