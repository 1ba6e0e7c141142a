use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    routing::{delete, get, post, put},
};
use serde_json::{Value, json};

use crate::fake::{Answer, Fake, done};

const FILE: &str = "\
name: orders
environment: prod
repository: git@git.example:team/orders.git
ref: main
directory: jobs/orders
builder: gradle
tasks: [shadowJar, -x, test]
resources: {cpu: 2, memory: 4g}
timeout: 10 min
credentials: git-key
settings: {secret: mirror}
cache: {claim: gradle-cache}
";
const OPERATION: &str = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn apply(fake: &Fake, text: &str, more: &[&str]) -> Answer {
    let file = file(text);
    let path = file.path().display().to_string();
    let mut line = vec!["project", "apply", "-f", path.as_str()];
    line.extend(more);
    fake.run(&line)
}

fn project(spec: &Value) -> Value {
    json!({
        "spec": spec, "version": 3, "createdAt": "2026-11-20T10:00:00Z", "updatedAt": "2026-11-20T10:00:00Z",
        "builds": [{
            "number": 7, "operation": OPERATION, "ref": "main", "state": "succeeded",
            "artifact": {
                "commit": "0123456789abcdef0123456789abcdef01234567",
                "digest": format!("sha256:{}", "0f".repeat(32)), "size": 31_000_000, "path": "build/libs/orders.jar",
            },
            "createdAt": "2026-11-20T11:00:00Z", "createdBy": "admin", "finishedAt": "2026-11-20T11:01:30Z",
        }],
    })
}

fn spec() -> Value {
    json!({
        "name": "orders", "environment": "prod", "repository": "https://git.example/orders.git", "ref": "main",
        "builder": "maven", "credentials": "git",
    })
}

fn operation(state: &str) -> Value {
    json!({
        "id": OPERATION, "kind": "buildProject", "project": "orders", "state": state,
        "createdAt": "2026-11-20T11:00:00Z", "steps": [],
    })
}

#[test]
fn a_project_is_sent_as_its_file_says() {
    let sent = Arc::new(Mutex::new(Value::Null));
    let kept = Arc::clone(&sent);
    let answer = move |Json(body): Json<Value>| async move {
        *kept.lock().expect("no panic") = body.clone();
        Json(project(&body["spec"]))
    };
    let fake = Fake::serve(Router::new().route("/api/v1/projects/orders", put(answer)));
    let Answer { code, output, errors } = apply(&fake, FILE, &[]);
    assert_eq!((code, errors.as_str()), (done(), ""));
    assert!(output.contains("flumen project build orders"), "{output}");
    let sent = sent.lock().expect("no panic").clone();
    assert_eq!(sent["spec"]["goals"], json!(["shadowJar", "-x", "test"]));
    assert_eq!(sent["spec"]["cache"], json!({"claim": "gradle-cache"}));
    assert_eq!(sent["spec"]["timeout"], "10m");
    let Answer { output, .. } = apply(&fake, FILE, &["--output", "json"]);
    let shown: Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(shown["spec"]["directory"], "jobs/orders");
}

#[test]
fn a_file_that_is_wrong_is_refused_before_anything_is_sent() {
    let fake = Fake::serve(Router::new());
    for (from, to, reason) in [
        (
            "git@git.example:team",
            "https://me:hunter2@git.example/team",
            "no place for user and password",
        ),
        ("builder: gradle", "builder: ant", "ant"),
        ("builder: gradle\n", "", "builder"),
        ("timeout: 10 min", "timeout: 0 s", "timeout"),
        ("credentials: git-key\n", "", "known_hosts"),
        ("credentials: git-key", "password: hunter2", "password"),
        ("ref: main", "ref: --upload-pack=x", "a branch, a tag"),
    ] {
        let text = FILE.replacen(from, to, 1);
        assert_ne!(text, FILE);
        let Answer { code, output, errors } = apply(&fake, &text, &[]);
        assert_eq!((code, output.as_str()), (ExitCode::from(2), ""), "{to}: {errors}");
        assert!(errors.contains(reason) && !errors.contains("hunter2"), "{to}: {errors}");
    }
    let Answer { code, errors, .. } = fake.run(&["project", "apply", "-f", "/no/such.yaml"]);
    assert_eq!(code, ExitCode::from(3), "{errors}");
}

#[test]
fn projects_are_listed_and_shown_with_their_builds() {
    let page = json!({ "items": [project(&spec())] });
    let shown = project(&spec());
    let routes = Router::new()
        .route("/api/v1/projects", get(move || async move { Json(page) }))
        .route("/api/v1/projects/orders", get(move || async move { Json(shown) }));
    let fake = Fake::serve(routes);
    let list = fake.run(&["project", "list"]);
    assert_eq!(list.code, done());
    for word in ["orders", "https://git.example/orders.git", "succeeded", "0123456789ab"] {
        assert!(list.output.contains(word), "{word}: {}", list.output);
    }
    let show = fake.run(&["project", "show", "orders"]);
    for word in ["maven package -DskipTests", "target/*.jar", "Secret git", "1 min 30 s", "30m"] {
        assert!(show.output.contains(word), "{word}: {}", show.output);
    }
}

#[test]
fn a_build_is_waited_for_and_says_what_it_was_built_from() {
    let ended = operation("succeeded");
    let event = format!("event: operation\ndata: {ended}\n\n");
    let shown = project(&spec());
    let routes = Router::new()
        .route("/api/v1/projects/orders/builds", post(|| async { Json(operation("running")) }))
        .route(&format!("/api/v1/operations/{OPERATION}/events"), get(move || async move { event }))
        .route("/api/v1/projects/orders", get(move || async move { Json(shown) }));
    let fake = Fake::serve(routes);
    let begun = fake.run(&["project", "build", "orders"]);
    assert!(begun.output.starts_with("Building the project orders has begun"), "{}", begun.output);
    let Answer { code, output, errors } = fake.run(&["project", "build", "orders", "--wait"]);
    assert_eq!(code, done(), "{errors}");
    assert_eq!(
        output,
        "The project orders is built from commit 0123456789ab; a job file names its jar as project://orders.\n"
    );
}

#[test]
fn a_build_that_failed_is_told_with_its_reason() {
    let mut ended = operation("failed");
    ended["error"] = json!({
        "message": "could not build main of https://git.example/orders.git for project orders",
        "causes": ["the builder ended with status 1:\n[ERROR] A.java:[1,2] ';' expected"],
        "kind": "invalid", "code": "project.build", "hint": "`flumen project log NAME` has all that it said.",
    });
    let event = format!("event: operation\ndata: {ended}\n\n");
    let routes = Router::new()
        .route("/api/v1/projects/orders/builds", post(|| async { Json(operation("running")) }))
        .route(
            &format!("/api/v1/operations/{OPERATION}/events"),
            get(move || async move { event }),
        );
    let Answer { code, errors, .. } =
        Fake::serve(routes).run(&["project", "build", "orders", "--wait"]);
    assert_eq!(code, ExitCode::from(2), "{errors}");
    assert!(errors.contains("';' expected") && errors.contains("flumen project log"), "{errors}");
}

#[test]
fn a_log_is_printed_as_it_is_or_as_one_value() {
    let log = get(|| async { "flumen: main is commit 01\n[INFO] BUILD SUCCESS\n" });
    let fake = Fake::serve(Router::new().route("/api/v1/projects/orders/log", log));
    let plain = fake.run(&["project", "log", "orders", "--follow"]);
    assert_eq!(plain.output, "flumen: main is commit 01\n[INFO] BUILD SUCCESS\n");
    let json = fake.run(&["project", "log", "orders", "--output", "json"]);
    let text: Value = serde_json::from_str(&json.output).expect("JSON");
    assert!(text["text"].as_str().expect("text").ends_with("SUCCESS\n"));
    let both = fake.run(&["project", "log", "orders", "--follow", "--output", "json"]);
    assert_eq!(both.code, ExitCode::from(2));
}

#[test]
fn a_project_is_deleted() {
    let route = delete(|| async { axum::http::StatusCode::NO_CONTENT });
    let fake = Fake::serve(Router::new().route("/api/v1/projects/orders", route));
    assert_eq!(
        fake.run(&["project", "delete", "orders"]).output,
        "The project orders is deleted.\n"
    );
    let json = fake.run(&["project", "delete", "orders", "--output", "json"]);
    assert_eq!(json.output.trim().replace([' ', '\n'], ""), r#"{"deleted":"orders"}"#);
}
