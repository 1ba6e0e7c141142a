//! `flumen sql check --explain`, whose command line is the whole program's.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{head, post},
};
use flumen_cli::{Command, OutputFormat};
use flumen_job_file::ScriptCheck;
use serde_json::{Value, json};

use crate::fake::{Answer, Fake, done, ended};

const SCRIPT: &str =
    "CREATE TABLE t (x INT) WITH ('connector' = 'kafka');\nINSERT INTO t\n\tSELECT y FROM s;\n";

struct Asked {
    answer: Answer,
    body: Value,
}

/// What the command prints where the server answers so, and what it asked.
fn explain(
    change: impl FnOnce(&mut ScriptCheck, &std::path::Path),
    answer: &Value,
    format: OutputFormat,
) -> Asked {
    let folder = tempfile::tempdir().expect("a directory");
    let script = folder.path().join("orders.sql");
    std::fs::write(&script, SCRIPT).expect("written");
    let mut explain = ScriptCheck {
        script: Some(script),
        flink_version: Some("1.20.5".parse().expect("a version")),
        ..ScriptCheck::default()
    };
    change(&mut explain, folder.path());
    let (answer, seen) = (answer.clone(), Arc::new(Mutex::new(Value::Null)));
    let body = Arc::clone(&seen);
    let explained = |Json(asked): Json<Value>| async move {
        *body.lock().expect("no panic") = asked;
        Json(answer)
    };
    let routes = Router::new()
        .route("/api/v1/sql/explain", post(explained))
        .route("/api/v1/artifacts/{digest}", head(|| async { StatusCode::OK }));
    let mut answer = Fake::serve(routes).command(Command::ExplainSql(Box::new(explain)), format);
    let place = format!("{}/", folder.path().display());
    answer.output = answer.output.replace(&place, "");
    answer.errors = answer.errors.replace(&place, "");
    let body = seen.lock().expect("no panic").clone();
    Asked { answer, body }
}

fn statement(kind: &str, line: u32) -> Value {
    json!({"kind": kind, "line": line, "column": 1})
}

fn good() -> Value {
    let mut insert = statement("INSERT", 2);
    insert["plan"] = json!("== Optimized Execution Plan ==\nSink\n");
    json!({"explained": true, "findings": [], "statements": [statement("CREATE TABLE", 1), insert]})
}

#[test]
fn a_good_script_is_printed_with_its_plan() {
    let Asked { answer, body } = explain(|_, _| {}, &good(), OutputFormat::Table);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    insta::assert_snapshot!(answer.output, @r"
    orders.sql:2:1: INSERT: the plan is
    == Optimized Execution Plan ==
    Sink
    orders.sql is good for Flink 1.20.5: 2 statements.
    ");
    assert_eq!((&body["script"], &body["environment"]), (&json!(SCRIPT), &json!("local")));
    assert_eq!((&body["flinkVersion"], body.get("timeoutSeconds")), (&json!("1.20.5"), None));
}

#[test]
fn errors_stand_in_the_order_of_the_script_with_the_line_and_a_mark() {
    let mut insert = statement("INSERT", 2);
    insert["error"] = json!({
        "line": 3, "column": 9, "message": "SQL validation failed. At line 3, column 9: Column 'y' not found",
        "remedy": "Add a:b:1 to the dependencies of the job.", "coordinates": "a:b:1",
    });
    let mut passed = statement("CALL", 2);
    passed["note"] = json!("not carried out");
    let warning = json!({"severity": "warning", "code": "missingFactory", "line": 1, "column": 43, "message": "Flink does not bring it"});
    let wrong = json!({
        "explained": true, "findings": [warning], "warnings": ["a.jar is doubtful"],
        "statements": [statement("CREATE TABLE", 1), insert, passed],
    });
    let Asked { answer, .. } = explain(|_, _| {}, &wrong, OutputFormat::Table);
    assert_eq!(answer.code, ended(2));
    insta::assert_snapshot!(answer.output.replace('\t', "→"), @r"
    orders.sql:1:43: warning: Flink does not bring it
    orders.sql:2:1: note: not carried out
    orders.sql:3:9: error: SQL validation failed. At line 3, column 9: Column 'y' not found
      →SELECT y FROM s;
      →       ^
      what to do: Add a:b:1 to the dependencies of the job.
    ");
    insta::assert_snapshot!(answer.errors, @r"
    warning: a.jar is doubtful
    error: the script orders.sql has 1 error
    ");
}

#[test]
fn programs_get_the_answer_and_the_same_status() {
    let wrong = json!({"severity": "error", "code": "noJob", "line": 1, "column": 1, "message": "nothing starts a job"});
    let refused = json!({"explained": false, "findings": [wrong], "statements": []});
    for (answer, code) in [(good(), done()), (refused, ended(2))] {
        let asked = explain(|_, _| {}, &answer, OutputFormat::Json).answer;
        assert_eq!(asked.code, code, "{}", asked.errors);
        let printed: Value = serde_json::from_str(&asked.output).expect("JSON");
        assert_eq!(
            (&printed["file"], &printed["flinkVersion"]),
            (&json!("orders.sql"), &json!("1.20.5"))
        );
        assert_eq!(printed["statements"], answer["statements"]);
        assert_eq!(printed["findings"], answer["findings"]);
    }
}

#[test]
fn a_job_file_says_what_the_job_would_have() {
    let change = |explain: &mut ScriptCheck, folder: &std::path::Path| {
        let file = folder.join("job.yaml");
        let text = "name: orders\nenvironment: prod\nflinkVersion: 2.3.0\nkind: sql\nartifact: orders.sql\nparallelism: 3\n\
            configuration: {table.exec.state.ttl: 1 h}\ndependencies:\n  - maven: a:b:1\n  - path: lib/f.jar\n";
        std::fs::write(&file, text).expect("written");
        std::fs::create_dir(folder.join("lib")).expect("made");
        std::fs::write(folder.join("lib/f.jar"), b"PK").expect("written");
        std::fs::write(folder.join("g.jar"), b"PK other").expect("written");
        *explain = ScriptCheck {
            job_file: Some(file),
            jars: vec![folder.join("g.jar")],
            dependencies: vec!["c:d:2".to_owned()],
            timeout: Some(Duration::from_millis(90_500)),
            ..ScriptCheck::default()
        };
    };
    let Asked { answer, body } = explain(change, &good(), OutputFormat::Table);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    let said = (&body["script"], &body["environment"], &body["flinkVersion"]);
    assert_eq!(said, (&json!(SCRIPT), &json!("prod"), &json!("2.3.0")));
    assert_eq!((&body["parallelism"], &body["timeoutSeconds"]), (&json!(3), &json!(91)));
    assert_eq!(body["configuration"], json!({"table.exec.state.ttl": "1 h"}));
    let maven: Vec<_> = body["dependencies"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["maven"].as_str())
        .collect();
    assert_eq!(maven, ["a:b:1", "c:d:2"]);
    let files: Vec<_> = body["artifacts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(files, ["f.jar", "g.jar"], "the script itself is no artifact");
}

#[test]
fn what_cannot_be_asked_is_said_at_once() {
    let nothing = |explain: &mut ScriptCheck, _: &std::path::Path| {
        explain.script = Some(PathBuf::from("nowhere.sql"));
    };
    let asked = explain(nothing, &good(), OutputFormat::Table);
    assert_eq!(asked.answer.code, ended(3));
    assert!(
        asked.answer.errors.contains("could not read the script nowhere.sql"),
        "{}",
        asked.answer.errors
    );
    let two = |explain: &mut ScriptCheck, folder: &std::path::Path| {
        let file = folder.join("jobs.yaml");
        let job = "name: a\nenvironment: local\nflinkVersion: 1.20.5\nartifact: a.jar\n";
        std::fs::write(&file, format!("{job}---\n{}", job.replace(": a\n", ": b\n")))
            .expect("written");
        explain.job_file = Some(file);
    };
    let asked = explain(two, &good(), OutputFormat::Table);
    assert_eq!(asked.answer.code, ended(2));
    assert!(asked.answer.errors.contains("jobs.yaml has 2 jobs"), "{}", asked.answer.errors);
    assert_eq!(asked.body, Value::Null);
}
