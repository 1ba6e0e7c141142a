use std::fmt::Write as _;

use axum::{Json, Router, http::StatusCode, routing::post};
use serde_json::{Value, json};

use crate::fake::{Fake, done, ended};

const FILE: &str = "name: orders\nenvironment: local\nflinkVersion: 1.20.5\nartifact: orders.jar\n";

/// The output of `flumen diff` of a job file with this addition, where the server answers so. The server
/// has nothing but the comparison: an upload would fail.
fn diff(addition: &str, answer: &Value, more: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("job.yaml");
    std::fs::write(&file, format!("{FILE}{addition}")).expect("written");
    std::fs::write(folder.path().join("orders.jar"), b"PK the jar").expect("written");
    let mut answer = answer.clone();
    answer["job"] = json!({"environment": "local", "name": "orders"});
    let compare = |Json(body): Json<Value>| async move {
        let is_hashed =
            body["artifacts"][0]["digest"].as_str().is_some_and(|text| text.len() == 71);
        let status = if is_hashed { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        (status, Json(answer))
    };
    let path = "/api/v1/environments/local/jobs/orders/diff";
    let fake = Fake::serve(Router::new().route(path, post(compare)));
    let mut line = vec!["diff", "-f", file.to_str().expect("text")];
    line.extend(more);
    let answer = fake.run(&line);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    answer.output
}

fn change(field: &str, from: Option<&str>, to: Option<&str>, effect: &str) -> Value {
    json!({"field": field, "from": from, "to": to, "effect": effect})
}

fn of(effect: &str, runs: bool, changes: &[Value]) -> Value {
    json!({"effect": effect, "isNew": false, "runs": runs, "changes": changes})
}

#[test]
fn changes_are_a_table_and_the_last_line_says_what_apply_will_do() {
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let jar = change("artifacts.orders.jar", Some(&digest("1")), Some(&digest("2")), "restart");
    let policy = change("restartPolicy.attempts", None, Some("5"), "inPlace");
    let arguments = change("arguments", Some(r#"["x"]"#), None, "restart");
    let mut risky = change("mainClass", Some("a.A"), Some("b.B"), "stateAtRisk");
    risky["risk"] = json!("another program may not have the operators whose state there is");
    let new = json!({"effect": "noOp", "isNew": true, "runs": false, "changes": []});
    let arguments = [arguments];
    let restart = [jar.clone(), arguments[0].clone(), policy.clone()];
    let mut all = String::new();
    for (addition, answer) in [
        ("", new),
        ("", of("noOp", true, &[])),
        ("", of("noOp", false, &[])),
        ("", of("inPlace", true, &[policy])),
        ("", of("restart", true, &restart)),
        ("upgradeMode: last-state\n", of("restart", true, &arguments)),
        ("upgradeMode: stateless\n", of("stateAtRisk", true, &arguments)),
        ("", of("restart", false, &arguments)),
        ("upgradeMode: stateless\n", of("stateAtRisk", false, &arguments)),
        ("", of("stateAtRisk", true, &[jar, risky])),
    ] {
        writeln!(all, "── {}{}", addition, diff(addition, &answer, &[]))
            .expect("a String takes all");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn of_two_secrets_it_is_said_that_they_differ() {
    let hidden = Some("******");
    let secret = change("configuration.s3.secret-key", hidden, hidden, "restart");
    let output = diff("", &of("restart", true, &[secret]), &[]);
    let line = output.lines().find(|line| line.starts_with("configuration")).expect("a line");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words, ["configuration.s3.secret-key", "******", "changed", "restart"]);
}

#[test]
fn programs_get_the_answer_of_the_api() {
    let answer = of("restart", true, &[change("parallelism", Some("1"), Some("2"), "restart")]);
    let output = diff("", &answer, &["--output", "json"]);
    let shown: Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!((&shown["effect"], &shown["changes"][0]["to"]), (&json!("restart"), &json!("2")));
    assert_eq!(shown["job"]["name"], "orders");
}

#[test]
fn a_wrong_file_is_refused_before_anything_is_asked() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("job.yaml");
    std::fs::write(&file, format!("{FILE}restartPolicy: {{backOff: soon}}\n")).expect("written");
    let fake = Fake::serve(Router::new());
    let answer = fake.run(&["diff", "-f", file.to_str().expect("text")]);
    assert_eq!(answer.code, ended(2));
    assert!(answer.errors.contains("job.yaml:5:26: restartPolicy.backOff"), "{}", answer.errors);
}
