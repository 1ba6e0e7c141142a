use axum::{Json, Router, routing::get};
use serde_json::{Value, json};

use crate::fake::{Answer, Fake, done};

fn job_summary(name: &str, state: &str, more: &Value) -> Value {
    let mut job = json!({
        "environment": "local", "name": name, "state": state, "stateSince": "2026-11-20T11:48:00Z",
        "flinkVersion": "1.20.5",
        "release": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    });
    for (key, value) in more.as_object().expect("an object") {
        job[key] = value.clone();
    }
    job
}

pub(crate) fn run_of(number: u64, more: &Value) -> Value {
    let mut run = json!({
        "id": format!("{number:032x}"), "number": number, "environment": "local",
        "release": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "startedAt": "2026-11-20T11:47:00Z",
    });
    for (key, value) in more.as_object().expect("an object") {
        run[key] = value.clone();
    }
    run
}

pub(crate) fn job(state: &str, more: &Value) -> Value {
    let mut job = json!({
        "environment": "local", "name": "word-count", "cluster": "local", "namespace": "default",
        "clusterId": "word-count", "version": 3, "desired": "running", "state": state,
        "spec": {"name": "word-count", "environment": "local", "flinkVersion": "1.20.5", "artifact": "word-count.jar"},
        "stateSince": "2026-11-20T11:48:00Z", "createdAt": "2026-11-19T08:00:00Z", "updatedAt": "2026-11-20T11:47:00Z",
        "release": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    });
    for (key, value) in more.as_object().expect("an object") {
        job[key] = value.clone();
    }
    job
}

fn shown(path: &str, body: Value, line: &[&str]) -> String {
    let fake = Fake::serve(Router::new().route(path, get(move || async move { Json(body) })));
    let Answer { code, output, errors } = fake.run(line);
    assert_eq!((code, errors.as_str()), (done(), ""));
    output
}

#[test]
fn the_list_of_jobs_has_states_and_reasons() {
    let items = json!({"items": [
        job_summary("word-count", "RUNNING", &json!({})),
        job_summary("orders", "FAILED", &json!({"reason": "the class com.example.Orders is not in the jar"})),
        job_summary("clicks", "RUNNING", &json!({"unreachableSince": "2026-11-20T11:59:00Z"})),
    ]});
    insta::assert_snapshot!(shown("/api/v1/jobs", items, &["job", "list"]));
}

#[test]
fn a_running_job_is_shown_with_its_operators() {
    let vertex = |name: &str, read: u64, written: u64, rate: f64| {
        json!({"id": name, "name": name, "state": "RUNNING", "parallelism": 2, "tasks": {"RUNNING": 2},
            "recordsIn": read, "recordsOut": written, "bytesIn": 1, "bytesOut": 1, "recordsOutPerSecond": rate})
    };
    let body = job(
        "RUNNING",
        &json!({
            "run": run_of(2, &json!({"runningAt": "2026-11-20T11:48:00Z", "image": "127.0.0.1:5000/flumen@sha256:12"})),
            "operation": "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21",
            "live": {"observedAt": "2026-11-20T12:00:00Z", "state": "RUNNING", "parallelism": 2, "taskManagers": 2,
                "tasks": {"RUNNING": 4},
                "vertices": [vertex("Source: words -> tokenizer", 0, 1_234_567, 210_000.4), vertex("count -> Sink", 1_234_000, 0, 0.0)]},
        }),
    );
    let output =
        shown("/api/v1/environments/local/jobs/word-count", body, &["job", "show", "word-count"]);
    insta::assert_snapshot!(output);
}

#[test]
fn a_failed_job_is_shown_with_why() {
    let exceptions = "org.apache.flink.util.FlinkException: The main method failed\n\tat a.b(C.java:1)\nCaused by: java.lang.ClassNotFoundException: no.such.Job\n\tat d.e(F.java:2)";
    let body = job(
        "FAILED",
        &json!({
            "reason": "the class no.such.Job is not in the jar",
            "run": run_of(1, &json!({"outcome": "FAILED", "endedAt": "2026-11-20T11:48:00Z", "exceptions": exceptions})),
        }),
    );
    let output =
        shown("/api/v1/environments/local/jobs/word-count", body, &["job", "show", "word-count"]);
    insta::assert_snapshot!(output);
}

fn snapshot(more: &Value) -> Value {
    let mut snapshot = json!({
        "id": "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21", "kind": "savepoint", "cause": "stop",
        "job": {"environment": "local", "name": "word-count"}, "run": format!("{:032x}", 3),
        "operation": "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e20", "number": 12, "format": "canonical",
        "path": "file:/flumen/savepoints/savepoint-1f4f4c-7d5e21", "sizeBytes": 12_345_678, "durationMs": 1_234,
        "triggeredAt": "2026-11-20T11:54:58.7Z", "completedAt": "2026-11-20T11:55:00Z",
    });
    for (key, value) in more.as_object().expect("an object") {
        snapshot[key] = value.clone();
    }
    snapshot
}

#[test]
fn a_job_that_is_being_stopped_is_shown_with_its_snapshots() {
    let body = job(
        "STOPPING",
        &json!({
            "desired": "stopped",
            "run": run_of(4, &json!({"startFrom": "latest", "restoredFrom": "file:/flumen/savepoints/savepoint-0"})),
            "savepoint": {"operation": "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21", "stops": true, "state": "underway",
                "since": "2026-11-20T11:59:55Z"},
            "latestSnapshot": snapshot(&json!({"kind": "checkpoint", "path": "file:/flumen/checkpoints/chk-12"})),
        }),
    );
    let output =
        shown("/api/v1/environments/local/jobs/word-count", body, &["job", "show", "word-count"]);
    insta::assert_snapshot!(output);
}

#[test]
fn a_job_that_waits_for_its_next_run_says_when_that_begins() {
    let body = job(
        "RESTARTING",
        &json!({
            "savepoint": {"operation": "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21", "stops": false, "state": "failed",
                "reason": "the directory cannot be written"},
            "nextRestart": {"at": "2026-11-20T12:00:20Z", "attempt": 2, "attempts": 3},
        }),
    );
    let output =
        shown("/api/v1/environments/local/jobs/word-count", body, &["job", "show", "word-count"]);
    assert!(output.contains("2026-11-20 12:00:20 UTC (in 20.0 s, attempt 2 of 3)"), "{output}");
    assert!(output.contains("a savepoint failed: the directory cannot be written"), "{output}");
}

#[test]
fn snapshots_are_listed_and_shown() {
    let items = json!({"items": [
        snapshot(&json!({})),
        snapshot(&json!({"kind": "checkpoint", "cause": "periodic", "sizeBytes": null, "operation": null})),
    ]});
    let all = shown("/api/v1/snapshots", items.clone(), &["snapshot", "list"]);
    assert!(all.contains("local/word-count"), "{all}");
    let list = shown("/api/v1/snapshots", items, &["snapshot", "list", "--job", "word-count"]);
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
    insta::assert_snapshot!(list);
    let id = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";
    let path = format!("/api/v1/snapshots/{id}");
    insta::assert_snapshot!(shown(&path, snapshot(&json!({})), &["snapshot", "show", id]));
}

#[test]
fn snapshots_of_a_named_job_are_those_of_the_present_environment() {
    let echo = |uri: axum::http::Uri| async move {
        let path = uri.query().unwrap_or_default().to_owned();
        Json(json!({"items": [snapshot(&json!({"path": path}))]}))
    };
    let fake = Fake::serve(Router::new().route("/api/v1/snapshots", get(echo)));
    for (line, query) in [
        (vec!["snapshot", "list"], "limit=50"),
        (vec!["snapshot", "list", "--job", "a"], "environment=local&job=a&limit=50"),
        (vec!["snapshot", "list", "-e", "prod", "--limit", "3"], "environment=prod&limit=3"),
    ] {
        let mut words = line.clone();
        words.extend(["--output", "json"]);
        let output = fake.run(&words).output;
        assert!(output.contains(&format!("\"{query}\"")), "{line:?}: {output}");
    }
}

#[test]
fn the_history_has_one_line_per_run() {
    let items = json!({"items": [
        run_of(5, &json!({"startFrom": "latest"})),
        run_of(4, &json!({"startFrom": "latest", "restoredFrom": "file:/flumen/savepoints/savepoint-1f4f4c-7d5e21"})),
        run_of(3, &json!({"startFrom": "latest", "runningAt": "2026-11-20T11:48:00Z", "outcome": "STOPPED"})),
        run_of(2, &json!({"startFrom": "nothing"})),
        run_of(1, &json!({"outcome": "FINISHED", "endedAt": "2026-11-20T11:50:20Z"})),
    ]});
    let path = "/api/v1/environments/local/jobs/word-count/runs";
    insta::assert_snapshot!(shown(path, items, &["job", "history", "word-count"]));
}

#[test]
fn an_operation_is_shown_with_its_steps() {
    let body = json!({
        "id": "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21", "kind": "apply", "state": "failed",
        "job": {"environment": "local", "name": "word-count"}, "createdBy": "admin",
        "createdAt": "2026-11-20T11:59:00Z", "finishedAt": "2026-11-20T11:59:31Z",
        "error": {"message": "the registry 127.0.0.1:5000 does not answer"},
        "steps": [
            {"name": "prepare", "state": "succeeded", "startedAt": "2026-11-20T11:59:00Z", "finishedAt": "2026-11-20T11:59:01Z"},
            {"name": "push image", "state": "failed", "startedAt": "2026-11-20T11:59:01Z", "finishedAt": "2026-11-20T11:59:31Z",
                "error": {"message": "connection refused"}},
        ],
    });
    let id = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";
    let output = shown(&format!("/api/v1/operations/{id}"), body, &["operation", "show", id]);
    insta::assert_snapshot!(output);
}

#[test]
fn the_same_answer_comes_as_json() {
    let items = json!({"items": [job_summary("word-count", "RUNNING", &json!({}))]});
    let output = shown("/api/v1/jobs", items.clone(), &["job", "list", "--output", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&output).ok(), Some(items));
}

#[test]
fn all_pages_of_a_list_are_fetched() {
    use axum::extract::Query;
    use std::collections::HashMap;

    let page = |Query(query): Query<HashMap<String, String>>| async move {
        Json(match query.get("cursor").map(String::as_str) {
            None => json!({"items": [job_summary("a", "NEW", &json!({}))], "nextCursor": "next"}),
            Some(_) => json!({"items": [job_summary("b", "NEW", &json!({}))]}),
        })
    };
    let fake = Fake::serve(Router::new().route("/api/v1/jobs", get(page)));
    let output = fake.run(&["job", "list"]).output;
    let names: Vec<_> =
        output.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(names, ["a", "b"]);
}
