use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    fake::{Fake, done, ended, misused},
    tables::{job, run_of},
};

const OPERATION: &str = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";
const PATH: &str = "/api/v1/environments/local/jobs/word-count";
const SAVEPOINT: &str = "file:/flumen/savepoints/0192f0c1/savepoint-1f4f4c-7d5e21";

fn operation(kind: &str, state: &str, more: &Value) -> Value {
    let mut operation = json!({
        "id": OPERATION, "kind": kind, "state": state, "steps": [],
        "createdAt": "2026-11-20T12:00:00Z", "job": {"environment": "local", "name": "word-count"},
    });
    for (key, value) in more.as_object().expect("an object") {
        operation[key] = value.clone();
    }
    operation
}

/// Refuses every order and says what it was.
async fn told(headers: HeaderMap, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let key = if headers.contains_key("idempotency-key") { "with" } else { "without" };
    let detail = format!("{body} {key} a key");
    let problem = json!({"type": "", "title": "", "status": 409, "code": "conflict", "kind": "conflict", "detail": detail});
    (StatusCode::CONFLICT, Json(problem))
}

/// A server whose operation of this kind ends as `state`, after which the job is as `shown`.
fn server(kind: &'static str, state: &'static str, more: &Value, shown: Value) -> Fake {
    let ended = operation(kind, state, more);
    let begin =
        move || async move { (StatusCode::ACCEPTED, Json(operation(kind, "running", &json!({})))) };
    let events = move || async move {
        ([("content-type", "text/event-stream")], format!("event: operation\ndata: {ended}\n\n"))
    };
    let routes = Router::new()
        .route(&format!("{PATH}/{kind}"), post(begin))
        .route(&format!("/api/v1/operations/{OPERATION}/events"), get(events))
        .route(PATH, get(move || async move { Json(shown) }));
    Fake::serve(routes)
}

#[test]
fn options_are_sent_as_the_api_has_them() {
    let routes = ["start", "stop", "savepoint", "restart", "cancel"]
        .iter()
        .fold(Router::new(), |routes, verb| routes.route(&format!("{PATH}/{verb}"), post(told)));
    let fake = Fake::serve(routes);
    for (line, sent) in [
        ("start", json!({})),
        ("start --from latest", json!({"from": "latest"})),
        ("start --from 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21", json!({"from": OPERATION})),
        (
            "start --from s3://b/s-1 --allow-non-restored --restore-mode no-claim",
            json!({"from": "s3://b/s-1", "allowNonRestoredState": true, "restoreMode": "no-claim"}),
        ),
        ("stop", json!({})),
        (
            "stop --drain --savepoint-path /s --format native",
            json!({"drain": true, "savepointPath": "/s", "format": "native"}),
        ),
        ("savepoint --savepoint-path /s", json!({"savepointPath": "/s"})),
        ("restart", json!({})),
        (
            "restart --mode last-state --from nothing --format native",
            json!({"mode": "last-state", "from": "nothing", "format": "native"}),
        ),
        ("cancel", json!({})),
    ] {
        let words: Vec<&str> =
            std::iter::once("job").chain(line.split(' ')).chain(["word-count"]).collect();
        let answer = fake.run(&words);
        assert_eq!(answer.code, ended(4), "{line}");
        let (begin, end) = (answer.errors.find('{'), answer.errors.rfind('}'));
        let body = &answer.errors[begin.expect("a body")..=end.expect("its end")];
        assert_eq!(serde_json::from_str::<Value>(body).ok(), Some(sent), "{line}");
        assert!(answer.errors.contains("with a key"), "{line}: {}", answer.errors);
    }
}

#[test]
fn words_that_are_none_are_refused_with_those_that_are() {
    for (line, part) in [
        ("start a --from lates", "expected latest, nothing, the id of a snapshot"),
        ("start a --restore-mode keep", "claim, no-claim, legacy"),
        ("stop a --format binary", "canonical, native"),
        ("restart a --mode none", "stateful, last-state, stateless"),
        ("savepoint a --drain", "--drain"),
        ("stop a --timeout 5m", "--wait"),
    ] {
        let words: Vec<&str> = std::iter::once("job").chain(line.split(' ')).collect();
        let error = misused(&words);
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn a_stop_and_a_savepoint_name_where_the_savepoint_lies() {
    for (verb, sentence) in [
        ("stop", format!("The job local/word-count is stopped; its savepoint: {SAVEPOINT}\n")),
        ("savepoint", format!("The savepoint of the job local/word-count: {SAVEPOINT}\n")),
    ] {
        let fake = server(verb, "succeeded", &json!({"savepoint": SAVEPOINT}), Value::Null);
        let answer = fake.run(&["job", verb, "word-count", "--wait"]);
        assert_eq!((answer.code, answer.output), (done(), sentence), "{}", answer.errors);
        let answer = fake.run(&["job", verb, "word-count", "--wait", "--output", "json"]);
        let operation: Value = serde_json::from_str(&answer.output).expect("JSON");
        assert_eq!(operation["savepoint"], SAVEPOINT);
    }
}

#[test]
fn a_stop_whose_savepoint_failed_says_why_and_ends_with_1() {
    let error = "the savepoint was not taken, and the job goes on as it was: the directory file:/gone cannot be written";
    let fake = server("stop", "failed", &json!({"error": {"message": error}}), Value::Null);
    let answer = fake.run(&["job", "stop", "word-count", "--wait"]);
    assert_eq!(answer.code, ended(1));
    let expected = format!("stopping the job local/word-count failed: {error}");
    assert!(answer.errors.contains(&expected), "{}", answer.errors);
}

#[test]
fn a_start_says_what_the_job_was_restored_from() {
    for verb in ["start", "restart"] {
        let run = run_of(4, &json!({"startFrom": "latest", "restoredFrom": SAVEPOINT}));
        let shown = job("RUNNING", &json!({"run": run}));
        let answer = server(verb, "succeeded", &json!({}), shown).run(&[
            "job",
            verb,
            "word-count",
            "--wait",
        ]);
        let expected = format!("The job local/word-count is RUNNING, restored from {SAVEPOINT}.\n");
        assert_eq!((answer.code, answer.output), (done(), expected), "{}", answer.errors);
    }
}
