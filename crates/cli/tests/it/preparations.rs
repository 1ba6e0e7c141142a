//! Applies whose release takes its time.

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post, put},
};
use serde_json::{Value, json};

use crate::{
    fake::{Answer, Fake, done, ended},
    tables::job,
};

const OPERATION: &str = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";
const FILE: &str = "name: word-count\nenvironment: local\nflinkVersion: 1.20.5\nartifact: local:///a.jar\ndependencies:\n  - maven: g:a:1\n";

fn operation(state: &str, steps: &Value, more: &Value) -> Value {
    let mut operation = json!({
        "id": OPERATION, "kind": "apply", "state": state, "createdAt": "2026-11-20T12:00:00Z", "steps": steps,
        "job": {"environment": "local", "name": "word-count"},
    });
    for (key, value) in more.as_object().expect("an object") {
        operation[key] = value.clone();
    }
    operation
}

fn step(name: &str, state: &str, detail: &str) -> Value {
    json!({
        "name": name, "state": state, "detail": detail,
        "startedAt": "2026-11-20T12:00:00Z", "finishedAt": "2026-11-20T12:00:01.2Z",
    })
}

fn begun() -> Value {
    operation("running", &json!([]), &json!({}))
}

fn resolved() -> Value {
    let steps = json!([
        step("resolve-dependencies", "succeeded", "2 artifacts"),
        step("fetch-dependencies", "running", "1 of 2 files fetched, 4.5 MB"),
    ]);
    operation("running", &steps, &json!({}))
}

/// The release is made; of starting the job this step came to this.
fn released(state: &str, start: &str) -> Value {
    let steps = json!([
        step("resolve-dependencies", "succeeded", "2 artifacts"),
        step("fetch-dependencies", "succeeded", "2 files, 9.1 MB; 1 from the cache"),
        step("make-release", "succeeded", "5d41402abc4b"),
        step("build-image", start, ""),
    ]);
    let applied = json!({"applied": {"change": "created", "warnings": ["it is doubtful"]}});
    operation(state, &steps, &applied)
}

/// What the command prints against a server whose operation goes through these states; each follower sees the rest.
fn apply(states: Vec<Value>, more: &[&str]) -> Answer {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("job.yaml");
    std::fs::write(&file, FILE).expect("written");
    let taken = || async { (StatusCode::ACCEPTED, Json(begun())) };
    let shown = || async { Json(job("RUNNING", &json!({}))) };
    let events = move || async move {
        let event = |state: &Value| format!("event: operation\ndata: {state}\n\n");
        ([("content-type", "text/event-stream")], states.iter().map(event).collect::<String>())
    };
    let routes = Router::new()
        .route("/api/v1/environments/local/jobs/word-count", put(taken).get(shown))
        .route(&format!("/api/v1/operations/{OPERATION}/events"), get(events));
    let file = file.to_str().expect("text");
    Fake::serve(routes).run(&[&["apply", "-f", file], more].concat())
}

#[test]
fn without_waiting_the_release_is_followed_until_it_is_made() {
    let answer = apply(vec![begun(), resolved(), released("running", "running")], &[]);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    insta::assert_snapshot!(answer.errors);
    insta::assert_snapshot!(answer.output);
}

#[test]
fn waiting_goes_on_where_the_release_is_made_and_prints_no_step_twice() {
    let ended = released("succeeded", "succeeded");
    let answer = apply(vec![resolved(), released("running", "running"), ended], &["--wait"]);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    insta::assert_snapshot!(answer.errors);
    assert!(answer.output.contains("is RUNNING"), "{}", answer.output);
}

#[test]
fn what_a_request_would_be_refused_for_ends_the_command_as_that() {
    let failed = |more: &Value| {
        let steps = json!([step("resolve-dependencies", "failed", "")]);
        let mut error = json!({
            "message": "the dependencies of job word-count cannot be had",
            "causes": ["g:a:1 is in no repository"], "hint": "Check the coordinates.",
        });
        for (key, value) in more.as_object().expect("an object") {
            error[key] = value.clone();
        }
        vec![operation("failed", &steps, &json!({"error": error}))]
    };
    for (kind, code) in [("invalid", 2), ("notFound", 3), ("conflict", 4), ("unavailable", 6)] {
        let answer = apply(failed(&json!({"kind": kind})), &[]);
        assert_eq!(answer.code, ended(code), "{kind}");
        if kind == "notFound" {
            insta::assert_snapshot!(answer.errors);
        }
    }
    // Of what failed later nobody could have been told at once.
    assert_eq!(apply(failed(&json!({})), &["--wait"]).code, ended(1));
}

#[test]
fn a_release_that_was_given_up_is_a_plain_failure() {
    for (state, words) in [("superseded", "took its place"), ("canceled", "was cancelled")] {
        let answer = apply(vec![operation(state, &json!([]), &json!({}))], &[]);
        assert_eq!(answer.code, ended(1));
        assert!(answer.errors.contains(words), "{}", answer.errors);
    }
}

#[test]
fn an_answer_for_programs_is_the_same_however_the_release_was_made() {
    let answer = apply(vec![released("running", "running")], &["--output", "json"]);
    let applied: Value = serde_json::from_str(&answer.output).expect("JSON");
    assert_eq!(
        (applied["change"].as_str(), applied["operation"]["id"].as_str()),
        (Some("created"), Some(OPERATION))
    );
    assert_eq!(applied["warnings"], json!(["it is doubtful"]));
    assert_eq!(applied["job"]["name"], "word-count");
}

#[test]
fn an_operation_that_prepares_a_release_is_cancelled_by_its_id() {
    let canceled = || async { Json(operation("canceled", &json!([]), &json!({}))) };
    let path = format!("/api/v1/operations/{OPERATION}/cancel");
    let answer = Fake::serve(Router::new().route(&path, post(canceled))).run(&[
        "operation",
        "cancel",
        OPERATION,
    ]);
    assert_eq!(
        (answer.code, answer.output.as_str()),
        (done(), "Applying the job local/word-count is cancelled.\n")
    );
}
