//! Scripts that real Flink checks, in pods of which nothing is left.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::setup::{Running, kubectl, until, up};

const TABLES: &str = "\
CREATE TABLE orders (item STRING, amount INT) WITH ('connector' = 'datagen');
CREATE TABLE totals (item STRING, total INT) WITH ('connector' = 'blackhole');
";

/// After [`TABLES`]: an unknown column, an unknown table and a connector that is not there, each in a statement of its own,
/// so that all are told.
const WRONG: &str = "\
CREATE TABLE sent (item STRING) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');
INSERT INTO totals
  SELECT item, '日本' || prize, 1 FROM orders;
INSERT INTO totals SELECT item, amount FROM ordres;
INSERT INTO sent SELECT item FROM orders;
";

#[test]
fn flink_itself_checks_scripts() {
    let running = up();
    for version in ["1.20.5", "2.3.0"] {
        running.flumen.succeed(&["version", "add", version, "--wait"]).expect("a base image");
        good_scripts_have_a_plan(&running, version);
    }
    wrong_scripts_have_places_and_remedies(&running);
    programs_get_places_too(&running);
    nothing_is_left(&running);
    running.flumen.stop().expect("stopped");
}

fn write(running: &Running, statements: &str) -> PathBuf {
    let path = running.directory.path().join("orders.sql");
    std::fs::write(&path, format!("{TABLES}{statements}")).expect("a script");
    path
}

fn check<'a>(script: &'a Path, version: &'a str) -> Vec<&'a str> {
    let script = script.to_str().expect("text");
    vec!["sql", "check", script, "--explain", "--flink-version", version]
}

fn good_scripts_have_a_plan(running: &Running, version: &str) {
    let query = "INSERT INTO totals\n  SELECT item, SUM(amount) FROM orders GROUP BY item;\n";
    let script = write(running, query);
    let said = running.flumen.succeed(&check(&script, version)).expect("a good script");
    for words in [
        "orders.sql:3:1: INSERT: the plan is\n",
        "== Optimized Execution Plan ==",
        "GroupAggregate",
        &format!("orders.sql is good for Flink {version}: 3 statements.\n"),
    ] {
        assert!(said.contains(words), "Flink {version}: {words:?} is not in: {said}");
    }
}

fn wrong_scripts_have_places_and_remedies(running: &Running) {
    let script = write(running, WRONG);
    let answer = running.flumen.run(&check(&script, "1.20.5")).expect("ran");
    assert_eq!(answer.status.code(), Some(2), "{}{}", answer.output, answer.error);
    for words in [
        "orders.sql:5:24: error: ",
        "'prize' not found",
        "\n    SELECT item, '日本' || prize, 1 FROM orders;\n                         ^\n",
        "orders.sql:6:45: error: ",
        "'ordres' not found",
        "orders.sql:7:1: error: ",
        "what to do: Add org.apache.flink:flink-sql-connector-kafka:3.4.0-1.20 to the dependencies of the job",
    ] {
        assert!(answer.output.contains(words), "{words:?} is not in: {}", answer.output);
    }
}

fn programs_get_places_too(running: &Running) {
    let script = write(running, WRONG);
    let mut line = check(&script, "2.3.0");
    line.extend(["--output", "json"]);
    let answer = running.flumen.run(&line).expect("ran");
    assert_eq!(answer.status.code(), Some(2), "{}{}", answer.output, answer.error);
    let json: Value = serde_json::from_str(&answer.output).expect("JSON");
    let places: Vec<_> = json["statements"].as_array().expect("a list")[3..]
        .iter()
        .map(|one| (one["error"]["line"].as_u64(), one["error"]["column"].as_u64()))
        .collect();
    assert_eq!(places, [(Some(5), Some(24)), (Some(6), Some(45)), (Some(7), Some(1))], "{json}");
}

fn nothing_is_left(running: &Running) {
    let kubeconfig = running.kubeconfig();
    let list = || {
        let answer = kubectl(&kubeconfig, &["get", "pods,configmaps", "--output", "name"]);
        String::from_utf8_lossy(&answer.stdout).into_owned()
    };
    let is_gone = || (!list().contains("sql-check")).then_some(());
    until("the pods of checks to go", is_gone, list);
}
