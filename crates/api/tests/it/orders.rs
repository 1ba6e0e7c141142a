use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::server::{JOB, Server, answer, spec};

const VERBS: [&str; 5] = ["start", "stop", "savepoint", "restart", "cancel"];

fn code(problem: &Value) -> Option<&str> {
    problem["code"].as_str()
}

#[tokio::test]
async fn a_body_is_not_needed_but_has_to_be_right() {
    let server = Server::with_job().await;
    let order = |verb: &str, body: &'static str| {
        let request = server.request(Method::POST, &format!("{JOB}/{verb}"));
        answer(request.header(header::CONTENT_TYPE, "application/json").body(body))
    };
    for (body, status) in [
        ("{", StatusCode::BAD_REQUEST),
        (r#"{"form":"latest"}"#, StatusCode::BAD_REQUEST),
        (r#"{"from":"lates"}"#, StatusCode::BAD_REQUEST),
        (r#"{"from":"nothing","restoreMode":"claim"}"#, StatusCode::BAD_REQUEST),
        (r#"{"from":"latest"}"#, StatusCode::CONFLICT),
        (r#"{"from":"0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21"}"#, StatusCode::NOT_FOUND),
    ] {
        for verb in ["start", "restart"] {
            let (seen, problem) = order(verb, body).await;
            assert_eq!(seen, status, "{verb} {body}: {problem}");
        }
    }
    assert_eq!(order("cancel", "").await.0, StatusCode::ACCEPTED);
    assert_eq!(order("cancel", "null").await.0, StatusCode::ACCEPTED);
    assert_eq!(order("start", "null").await.0, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_start_without_a_body_begins_an_operation_and_a_second_one_is_a_conflict() {
    let server = Server::with_job().await;
    let (status, operation) = server.post("start").await;
    assert_eq!((status, operation["kind"].as_str()), (StatusCode::ACCEPTED, Some("start")));
    let (status, problem) = server.post("start").await;
    assert_eq!((status, code(&problem)), (StatusCode::CONFLICT, Some("conflict")));
    let (_, runs) = server.get(&format!("{JOB}/runs")).await;
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(runs["items"][0]["startFrom"], "latest");
}

#[tokio::test]
async fn what_does_not_run_cannot_be_stopped() {
    let server = Server::with_job().await;
    for verb in ["stop", "savepoint"] {
        let (status, problem) = server.post(verb).await;
        assert_eq!((status, code(&problem)), (StatusCode::CONFLICT, Some("conflict")), "{verb}");
        assert!(problem["detail"].as_str().is_some_and(|text| text.contains("NEW")), "{problem}");
    }
}

#[tokio::test]
async fn an_order_for_another_version_of_the_job_is_refused() {
    let server = Server::with_job().await;
    for verb in VERBS {
        let request = server.request(Method::POST, &format!("{JOB}/{verb}"));
        let (status, problem) = answer(request.header(header::IF_MATCH, "\"99\"")).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::PRECONDITION_FAILED, Some("request.precondition")),
            "{verb}"
        );
    }
    let response = server.request(Method::GET, JOB).send().await.expect("an answer");
    let tag = response.headers()[header::ETAG].clone();
    let start = server.request(Method::POST, &format!("{JOB}/start"));
    let (status, _) = answer(start.header(header::IF_MATCH, tag)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_repeated_request_is_one_whatever_changed_by_it() {
    let server = Server::with_job().await;
    let response = server.request(Method::GET, JOB).send().await.expect("an answer");
    let tag = response.headers()[header::ETAG].clone();
    let request = |body: Value| {
        let request = server.request(Method::POST, &format!("{JOB}/start"));
        let request = request.header("idempotency-key", "one").json(&body);
        answer(request.header(header::IF_MATCH, tag.clone()))
    };
    let (status, first) = request(json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, again) = request(json!({})).await;
    assert_eq!((status, &again["id"]), (StatusCode::ACCEPTED, &first["id"]));
    let (status, problem) = request(json!({"from": "nothing"})).await;
    assert_eq!((status, code(&problem)), (StatusCode::CONFLICT, Some("conflict")));
}

#[tokio::test]
async fn a_version_is_added_once_however_often_it_is_asked_for() {
    let server = Server::start().await;
    let add = |directory: &str| {
        let body = json!({"version": "1.20.5", "source": {"directory": directory}});
        let request = server.request(Method::POST, "/api/v1/versions");
        answer(request.header("idempotency-key", "one").json(&body))
    };
    let (_, first) = add("/nowhere/flink").await;
    let (status, again) = add("/nowhere/flink").await;
    assert_eq!((status, &again["id"]), (StatusCode::ACCEPTED, &first["id"]));
    let (status, problem) = add("/elsewhere/flink").await;
    assert_eq!((status, code(&problem)), (StatusCode::CONFLICT, Some("conflict")));
    let (_, all) = server.get("/api/v1/operations").await;
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_comparison_says_what_differs_and_changes_nothing() {
    let server = Server::with_job().await;
    let diff = |name: &str, changes: Value| {
        let mut spec = spec(&changes);
        spec["name"] = json!(name);
        let path = format!("/api/v1/environments/local/jobs/{name}/diff");
        answer(server.request(Method::POST, &path).json(&json!({"spec": spec})))
    };
    let (status, same) = diff("a", json!({})).await;
    assert_eq!((status, &same["effect"]), (StatusCode::OK, &json!("noOp")));
    assert_eq!(same["job"], json!({"environment": "local", "name": "a"}));
    let (_, new) = diff("b", json!({})).await;
    assert_eq!(new["isNew"], true);
    let changes = json!({"parallelism": 2, "mainClass": "b.B", "restartPolicy": {"attempts": 5}});
    let (_, other) = diff("a", changes).await;
    assert_eq!((&other["effect"], &other["runs"]), (&json!("stateAtRisk"), &json!(false)));
    let found: Vec<_> = other["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            (one["field"].as_str().expect("a name"), one["effect"].as_str().expect("a word"))
        })
        .collect();
    assert!(found.contains(&("parallelism", "restart")), "{found:?}");
    assert!(found.contains(&("restartPolicy.attempts", "inPlace")), "{found:?}");
    assert!(found.contains(&("mainClass", "stateAtRisk")), "{found:?}");
    let (_, job) = server.get(JOB).await;
    assert_eq!(job["version"], 1);
    let (status, problem) = diff("a", json!({"flinkVersion": "2.3.0"})).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
}
