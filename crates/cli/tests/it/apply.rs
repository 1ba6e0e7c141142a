use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, put},
};
use serde_json::{Value, json};

use crate::{
    fake::{Fake, done, ended},
    tables::job,
};

const OPERATION: &str = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";
const FILE: &str =
    "name: word-count\nenvironment: local\nflinkVersion: 1.20.5\nartifact: word-count.jar\n";

/// What the server was sent.
#[derive(Default)]
struct Received {
    uploads: Vec<Bytes>,
    applied: Vec<(Option<String>, Value)>,
}

type Shared = Arc<Mutex<Received>>;

fn operation(state: &str, steps: &Value) -> Value {
    json!({
        "id": OPERATION, "kind": "apply", "state": state, "createdAt": "2026-11-20T12:00:00Z",
        "job": {"environment": "local", "name": "word-count"}, "steps": steps,
        "error": if state == "failed" { json!({"message": "the image cannot be pushed"}) } else { Value::Null },
    })
}

fn step(name: &str, state: &str) -> Value {
    json!({"name": name, "state": state, "startedAt": "2026-11-20T12:00:00Z", "finishedAt": "2026-11-20T12:00:01.2Z"})
}

/// A server that takes a job, and whose operation ends as `outcome`; the job is then in `state`.
fn server(outcome: &'static str, state: &'static str) -> (Fake, Shared) {
    let received = Shared::default();
    let upload = |State(received): State<Shared>, body: Bytes| async move {
        received.lock().expect("no panic").uploads.push(body);
        StatusCode::CREATED
    };
    let known = |State(received): State<Shared>| async move {
        let known = !received.lock().expect("no panic").uploads.is_empty();
        if known { StatusCode::OK } else { StatusCode::NOT_FOUND }
    };
    let apply = |State(received): State<Shared>, headers: HeaderMap, Json(body): Json<Value>| async move {
        let key = headers.get("idempotency-key").map(|key| key.to_str().expect("text").to_owned());
        received.lock().expect("no panic").applied.push((key, body));
        Json(
            json!({"job": job("STARTING", &json!({})), "change": "created", "operation": operation("running", &json!([]))}),
        )
    };
    let events = move || async move {
        let begun = json!([step("prepare", "succeeded"), step("push image", "running")]);
        let last = json!([step("prepare", "succeeded"), step("push image", outcome)]);
        let [first, second] = [operation("running", &begun), operation(outcome, &last)];
        let text =
            format!("event: operation\ndata: {first}\n\nevent: operation\ndata: {second}\n\n");
        ([("content-type", "text/event-stream")], text)
    };
    let shown = move || async move { Json(job(state, &json!({"reason": "because of this"}))) };
    let routes = Router::new()
        .route("/api/v1/artifacts/{digest}", put(upload).head(known))
        .route("/api/v1/environments/local/jobs/word-count", put(apply).get(shown))
        .route(&format!("/api/v1/operations/{OPERATION}/events"), get(events))
        .with_state(Arc::clone(&received));
    (Fake::serve(routes), received)
}

pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("job.yaml");
    std::fs::write(&file, FILE).expect("written");
    std::fs::write(folder.path().join("word-count.jar"), b"PK the jar").expect("written");
    (folder, file)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn the_artifact_is_sent_once_and_the_job_names_it() {
    let (_folder, file) = folder();
    let (fake, received) = server("succeeded", "RUNNING");
    for _ in 0..2 {
        let answer = fake.run(&["apply", "-f", text(&file)]);
        assert_eq!(answer.code, done(), "{}", answer.errors);
        assert!(answer.output.contains("was created"), "{}", answer.output);
    }
    let received = received.lock().expect("no panic");
    assert_eq!(received.uploads, [Bytes::from_static(b"PK the jar")]);
    let [(first_key, first), (second_key, _)] = received.applied.as_slice() else {
        panic!("two requests")
    };
    assert!(first_key.is_some() && first_key != second_key, "each command has a key of its own");
    let artifact = &first["artifacts"][0];
    assert_eq!(
        (artifact["path"].as_str(), artifact["size"].as_u64()),
        (Some("word-count.jar"), Some(10))
    );
    assert_eq!((artifact["role"].as_str(), first["start"].as_bool()), (Some("usrlib"), Some(true)));
}

#[test]
fn force_is_sent_where_it_is_asked_for() {
    let (_folder, file) = folder();
    let (fake, received) = server("succeeded", "RUNNING");
    fake.run(&["apply", "-f", text(&file)]);
    fake.run(&["apply", "-f", text(&file), "--force"]);
    let received = received.lock().expect("no panic");
    let forced: Vec<_> = received.applied.iter().map(|(_, body)| body["force"].as_bool()).collect();
    assert_eq!(forced, [Some(false), Some(true)]);
}

#[test]
fn waiting_prints_each_step_with_its_time() {
    let (_folder, file) = folder();
    let (fake, _) = server("succeeded", "RUNNING");
    let answer = fake.run(&["apply", "-f", text(&file), "--wait"]);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    insta::assert_snapshot!(answer.errors);
    insta::assert_snapshot!(answer.output);
}

#[test]
fn a_failed_operation_names_its_step_and_ends_with_1() {
    let (_folder, file) = folder();
    let (fake, _) = server("failed", "FAILED");
    let answer = fake.run(&["apply", "-f", text(&file), "--wait"]);
    assert_eq!(answer.code, ended(1));
    assert!(answer.errors.contains("push image"), "{}", answer.errors);
    assert!(answer.errors.contains("the image cannot be pushed"), "{}", answer.errors);
}

#[test]
fn waiting_for_the_end_fails_where_the_job_did() {
    let (_folder, file) = folder();
    let (fake, _) = server("succeeded", "FINISHED");
    assert_eq!(fake.run(&["apply", "-f", text(&file), "--wait=finished"]).code, done());
    let (fake, _) = server("succeeded", "FAILED");
    let answer = fake.run(&["apply", "-f", text(&file), "--wait=finished"]);
    assert_eq!(answer.code, ended(1));
    assert!(answer.errors.contains("ended as FAILED: because of this"), "{}", answer.errors);
}

#[test]
fn waiting_ends_when_the_time_is_over() {
    let (_folder, file) = folder();
    let (fake, _) = server("succeeded", "RUNNING");
    let answer = fake.run(&["apply", "-f", text(&file), "--wait=finished", "--timeout", "100ms"]);
    assert_eq!(answer.code, ended(7));
    assert!(answer.errors.contains("flumen job show word-count"), "{}", answer.errors);
}

#[test]
fn json_is_the_only_thing_on_standard_output() {
    let (_folder, file) = folder();
    let (fake, _) = server("succeeded", "RUNNING");
    let answer = fake.run(&["apply", "-f", text(&file), "--wait", "--output", "json"]);
    let applied: Value = serde_json::from_str(&answer.output).expect("JSON");
    assert_eq!(
        (applied["change"].as_str(), applied["operation"]["state"].as_str()),
        (Some("created"), Some("succeeded"))
    );
}

#[test]
fn what_is_wrong_in_the_files_is_said_before_anything_is_sent() {
    let (folder, file) = folder();
    let (fake, received) = server("succeeded", "RUNNING");
    let bad = folder.path().join("bad.yaml");
    std::fs::write(&bad, FILE.replace("artifact:", "artefact:")).expect("written");
    let answer = fake.run(&["apply", "-f", text(&file), "-f", text(&bad)]);
    assert_eq!(answer.code, ended(2));
    assert!(answer.errors.contains("bad.yaml:4:1"), "{}", answer.errors);
    std::fs::remove_file(folder.path().join("word-count.jar")).expect("removed");
    let answer = fake.run(&["apply", "-f", text(&file)]);
    assert_eq!(answer.code, ended(3));
    assert!(answer.errors.contains("word-count.jar"), "{}", answer.errors);
    assert!(received.lock().expect("no panic").applied.is_empty());
}

#[test]
fn a_token_that_is_refused_is_said_as_such() {
    let (_folder, file) = folder();
    let fake = Fake::serve(Router::new().fallback(|| async { StatusCode::UNAUTHORIZED }));
    let answer = fake.run(&["apply", "-f", text(&file)]);
    assert_eq!(answer.code, ended(5));
    assert!(answer.errors.contains("token"), "{}", answer.errors);
}
