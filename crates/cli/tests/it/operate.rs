use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode, Uri},
    routing::{delete, get, post},
};
use serde_json::{Value, json};

use crate::fake::{Fake, done, ended};

fn operation(kind: &str, state: &str) -> Value {
    json!({
        "id": "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21", "kind": kind, "state": state, "steps": [],
        "createdAt": "2026-11-20T12:00:00Z", "job": {"environment": "prod", "name": "orders"},
    })
}

#[test]
fn cancel_and_delete_start_operations_in_the_environment_that_was_named() {
    let start = |kind: &'static str| {
        move || async move { (StatusCode::ACCEPTED, Json(operation(kind, "running"))) }
    };
    let routes = Router::new()
        .route("/api/v1/environments/prod/jobs/orders/cancel", post(start("cancel")))
        .route("/api/v1/environments/prod/jobs/orders", delete(start("delete")));
    let fake = Fake::serve(routes);
    for (verb, word) in [("cancel", "Cancelling"), ("delete", "Deleting")] {
        let answer = fake.run(&["job", verb, "orders", "--environment", "prod"]);
        assert_eq!(answer.code, done(), "{}", answer.errors);
        let expected = format!("{word} the job prod/orders has begun");
        assert!(answer.output.starts_with(&expected), "{}", answer.output);
    }
}

#[test]
fn a_stream_that_breaks_off_is_taken_up_again() {
    let broken = || async { "event: operation\ndata: {\"id\":" };
    let ended = || async { Json(operation("cancel", "succeeded")) };
    let begun = || async { (StatusCode::ACCEPTED, Json(operation("cancel", "running"))) };
    let id = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";
    let routes = Router::new()
        .route("/api/v1/environments/local/jobs/orders/cancel", post(begun))
        .route(&format!("/api/v1/operations/{id}/events"), get(broken))
        .route(&format!("/api/v1/operations/{id}"), get(ended));
    let answer = Fake::serve(routes).run(&["job", "cancel", "orders", "--wait"]);
    assert_eq!(
        (answer.code, answer.output.as_str()),
        (done(), "The job local/orders is cancelled.\n")
    );
}

#[test]
fn logs_are_printed_as_they_are() {
    let log = |uri: Uri| async move { format!("{}\nline two\n", uri.query().unwrap_or_default()) };
    let routes = Router::new().route("/api/v1/environments/local/jobs/orders/logs", get(log));
    let answer = Fake::serve(routes).run(&[
        "job",
        "logs",
        "orders",
        "--container",
        "taskmanager",
        "--tail",
        "5",
    ]);
    assert_eq!(answer.output, "container=taskmanager&follow=false&tail=5\nline two\n");
}

#[test]
fn logs_are_one_value_for_programs_and_then_cannot_be_followed() {
    let log = || async { "line \u{1}\nline two\n" };
    let routes = Router::new().route("/api/v1/environments/local/jobs/orders/logs", get(log));
    let fake = Fake::serve(routes);
    let answer = fake.run(&["job", "logs", "orders", "--output", "json"]);
    let value: Value = serde_json::from_str(&answer.output).expect("JSON");
    assert_eq!(value, json!({"text": "line \u{1}\nline two\n"}));
    let answer = fake.run(&["job", "logs", "orders", "--output", "json", "--follow"]);
    assert_eq!((answer.code, answer.output.as_str()), (ended(2), ""));
    assert!(answer.errors.contains("--follow"), "{}", answer.errors);
}

#[test]
fn a_run_of_long_ago_is_found_too() {
    let run = |number: u64| {
        json!({"id": format!("{number:032x}"), "number": number, "environment": "local",
            "startedAt": "2026-11-20T12:00:00Z",
            "release": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"})
    };
    let runs = move |uri: Uri| async move {
        Json(match uri.query() {
            Some("limit=500") => json!({"items": [run(9)], "nextCursor": "9"}),
            Some("limit=500&cursor=9") => json!({"items": [run(8)]}),
            other => panic!("{other:?}"),
        })
    };
    let log = |uri: Uri| async move { uri.query().unwrap_or_default().to_owned() };
    let routes = Router::new()
        .route("/api/v1/environments/local/jobs/orders/logs", get(log))
        .route("/api/v1/environments/local/jobs/orders/runs", get(runs));
    let fake = Fake::serve(routes);
    let answer = fake.run(&["job", "logs", "orders", "--run", "8"]);
    assert!(answer.output.contains("run=00000000000000000000000000000008"), "{}", answer.output);
    assert_eq!(fake.run(&["job", "logs", "orders", "--run", "7"]).code, ended(3));
}

#[test]
fn a_run_is_named_by_its_number() {
    let run = json!({"items": [{"id": format!("{:032x}", 7), "number": 3, "environment": "local",
        "startedAt": "2026-11-20T12:00:00Z",
        "release": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}]});
    let log = |uri: Uri| async move { uri.query().unwrap_or_default().to_owned() };
    let routes = Router::new()
        .route("/api/v1/environments/local/jobs/orders/logs", get(log))
        .route("/api/v1/environments/local/jobs/orders/runs", get(|| async { Json(run) }));
    let fake = Fake::serve(routes);
    let answer = fake.run(&["job", "logs", "orders", "--run", "3"]);
    assert!(answer.output.contains("run=00000000000000000000000000000007"), "{}", answer.output);
    assert_eq!(fake.run(&["job", "logs", "orders", "--run", "4"]).code, ended(3));
}

#[test]
fn the_link_to_the_web_ui_is_printed_alone() {
    let link =
        json!({"url": "http://127.0.0.1:7601/open/code", "expiresAt": "2026-11-20T12:01:00Z"});
    let routes = Router::new()
        .route("/api/v1/environments/local/jobs/orders/ui", post(|| async { Json(link) }));
    let answer = Fake::serve(routes).run(&["job", "ui", "orders"]);
    assert_eq!(answer.output, "http://127.0.0.1:7601/open/code\n");
    assert!(answer.errors.contains("once"), "{}", answer.errors);
}

#[test]
fn a_version_comes_from_python_packages_or_from_a_directory() {
    let add = |headers: HeaderMap, Json(body): Json<Value>| async move {
        assert!(headers.contains_key("idempotency-key"), "a repetition must be seen to be one");
        let detail = body["source"].to_string();
        let problem = json!({"type": "", "title": "", "status": 400, "code": "", "kind": "invalid", "detail": detail});
        (StatusCode::BAD_REQUEST, Json(problem))
    };
    let fake = Fake::serve(Router::new().route("/api/v1/versions", post(add)));
    let sent = |line: &[&str]| fake.run(line).errors;
    assert!(sent(&["version", "add", "1.20.5"]).contains("{\"pythonPackages\":true}"));
    let from_directory = sent(&["version", "add", "1.20.5", "--from-directory", "/opt/flink"]);
    assert!(from_directory.contains("{\"directory\":\"/opt/flink\"}"), "{from_directory}");
}
