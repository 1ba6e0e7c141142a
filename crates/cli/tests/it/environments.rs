use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    routing::{post, put},
};
use serde_json::{Value, json};

use crate::fake::{Answer, Fake, done};

const FILE: &str = "\
name: prod
cluster: eu-1
namespace: flink
registry: registry.example/flink
storage:
  kind: s3
  place: s3://flink/prod
  credentials: {accessKey: AKIA31415926, secretKey: hunter2hunter2}
delivery: init-container
fetchFrom: storage
configuration:
  parallelism.default: 2
";

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn path(file: &tempfile::NamedTempFile) -> String {
    file.path().display().to_string()
}

#[test]
fn an_environment_is_sent_as_its_file_says() {
    let sent = Arc::new(Mutex::new(Value::Null));
    let kept = Arc::clone(&sent);
    let answer = move |Json(spec): Json<Value>| async move {
        *kept.lock().expect("no panic") = spec.clone();
        let mut saved = spec;
        saved["name"] = json!("prod");
        saved["version"] = json!(1);
        saved["createdAt"] = json!("2026-11-20T12:00:00Z");
        saved["storage"]["credentials"] = json!({"secret": "flumen-storage-prod"});
        Json(saved)
    };
    let fake = Fake::serve(Router::new().route("/api/v1/environments/prod", put(answer)));
    let file = file(FILE);
    let Answer { code, output, errors } = fake.run(&["environment", "apply", "-f", &path(&file)]);
    assert_eq!((code, errors.as_str()), (done(), ""));
    assert!(output.contains("flumen environment check prod"), "{output}");
    let sent = sent.lock().expect("no panic").clone();
    assert_eq!(sent["storage"]["credentials"]["secretKey"], "hunter2hunter2");
    assert_eq!(sent["configuration"], json!({"parallelism.default": 2}));
    assert_eq!(
        (&sent["delivery"], &sent["fetchFrom"]),
        (&json!("init-container"), &json!("storage"))
    );
    let Answer { output, .. } =
        fake.run(&["environment", "apply", "-f", &path(&file), "--output", "json"]);
    assert!(!output.contains("hunter2") && output.contains("flumen-storage-prod"), "{output}");
}

#[test]
fn a_file_that_is_wrong_is_refused_before_anything_is_sent_and_its_keys_are_not_shown() {
    let fake = Fake::serve(Router::new());
    for (from, to, reason) in [
        ("s3://flink/prod", "s3://flink/../prod", "no part of the path is . or .."),
        ("kind: s3", "kind: gcs", "gcs"),
        ("cluster: eu-1\n", "", "cluster"),
        ("cluster: eu-1\n", "clutser: eu-1\n", "clutser"),
        ("accessKey: AKIA31415926", "accesskey: AKIA31415926", "accesskey"),
        ("hunter2hunter2", "31415926", "stands in quotes"),
        ("hunter2hunter2}", "hunter2hunter2", "line"),
    ] {
        let text = FILE.replacen(from, to, 1);
        assert_ne!(text, FILE);
        let Answer { code, output, errors } =
            fake.run(&["environment", "apply", "-f", &path(&file(&text))]);
        assert_eq!((code, output.as_str()), (ExitCode::from(2), ""), "{to}: {errors}");
        assert!(errors.contains(reason), "{to}: {errors}");
        assert!(!errors.contains("hunter2") && !errors.contains("31415926"), "{to}: {errors}");
    }
    let Answer { code, errors, .. } = fake.run(&["environment", "apply", "-f", "/no/such.yaml"]);
    assert_eq!(code, ExitCode::from(3), "{errors}");
}

#[test]
fn a_check_that_fails_is_a_table_and_an_exit_status() {
    let checks = json!({"checks": [
        {"name": "write", "outcome": "ok", "detail": "s3://flink/prod/flumen-probe/1 was written"},
        {"name": "delete", "outcome": "fail", "detail": "the keys may not do that",
         "remedy": "Allow the keys s3:DeleteObject below the prefix."},
    ]});
    let route = post(move || async move { Json(checks) });
    let fake = Fake::serve(Router::new().route("/api/v1/environments/prod/check", route));
    let Answer { code, output, errors } = fake.run(&["environment", "check", "prod"]);
    assert_eq!(code, ExitCode::from(1));
    assert!(output.contains("s3:DeleteObject"), "{output}");
    assert!(errors.contains("1 of 2 checks of the environment prod failed"), "{errors}");
}
