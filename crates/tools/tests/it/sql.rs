use std::path::{Path, PathBuf};

use clap::Parser as _;
use flumen_model::Kind;
use flumen_tools::{Error, run};
use serde_json::Value;

use crate::{Program, Ran, jar::write_jar, streams};

const SCRIPT: &str = "\
-- Orders by hour; from Kafka.
CREATE TABLE orders (id BIGINT, ts TIMESTAMP(3)) WITH (
  'connector' = 'kafka',
  'format' = 'json'
);
CREATE TABLE hourly (n BIGINT) WITH ('connector' = 'print');
SET 'paralelism.default' = '2';
EXECUTE STATEMENT SET BEGIN
  INSERT INTO hourly SELECT COUNT(*) FROM orders /*+ OPTIONS('a' = ';') */;
  INSERT INTO hourly SELECT 1;
END;
DROP TABLE hourly;
";

pub(crate) fn called(line: &[&str], json: bool) -> Ran {
    let line = std::iter::once(&"flumen").chain(line);
    let program = Program::try_parse_from(line).expect("arguments");
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let result = run(&program.command, &mut streams(&mut out, &mut notes, json));
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { out: text(out), notes: text(notes), result }
}

fn script(directory: &Path, text: &str) -> PathBuf {
    let path = directory.join("orders.sql");
    std::fs::write(&path, text).expect("a file");
    path
}

/// What was printed without the directory of the script.
fn without(directory: &Path, out: &str) -> String {
    out.replace(&format!("{}/", directory.display()), "")
}

#[test]
fn split_prints_a_line_for_each_statement_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = script(directory.path(), SCRIPT);
    let ran = called(&["sql", "split", path.to_str().expect("a path")], false);
    assert!(ran.result.is_ok());
    insta::assert_snapshot!(without(directory.path(), &ran.out), @"
    orders.sql:2:1: CREATE TABLE: CREATE TABLE orders (id BIGINT, ts TIMESTAMP(3)) WITH ( 'co…
    orders.sql:6:1: CREATE TABLE: CREATE TABLE hourly (n BIGINT) WITH ('connector' = 'print')
    orders.sql:7:1: SET: SET 'paralelism.default' = '2'
    orders.sql:8:1: EXECUTE STATEMENT SET: EXECUTE STATEMENT SET BEGIN INSERT INTO hourly SELECT COUNT…
    orders.sql:9:3: INSERT: INSERT INTO hourly SELECT COUNT(*) FROM orders /*+ OPTIONS(…
    orders.sql:10:3: INSERT: INSERT INTO hourly SELECT 1
    orders.sql:12:1: DROP TABLE: DROP TABLE hourly
    ");
}

#[test]
fn split_as_json_has_the_whole_statements() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = script(directory.path(), SCRIPT);
    let ran = called(&["sql", "split", path.to_str().expect("a path")], true);
    let statements: Value = serde_json::from_str(&ran.out).expect("JSON");
    let set = &statements[3];
    assert_eq!(set["kind"], "EXECUTE STATEMENT SET");
    assert_eq!((&set["line"], &set["endLine"]), (&8.into(), &11.into()));
    assert_eq!(set["statements"][1]["text"], "INSERT INTO hourly SELECT 1");
    let at = |name: &str| usize::try_from(set[name].as_u64().expect("a number")).expect("small");
    assert_eq!(set["text"], SCRIPT[at("offset")..at("endOffset")]);
}

#[test]
fn check_prints_all_problems_and_refuses_the_script() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = script(directory.path(), SCRIPT);
    let path = path.to_str().expect("a path");
    let ran = called(&["sql", "check", path, "--flink-version", "1.20.5"], false);
    insta::assert_snapshot!(without(directory.path(), &ran.out), @"
    orders.sql:3:17: warning: Flink does not bring the connector 'kafka': add org.apache.flink:flink-sql-connector-kafka:3.4.0-1.20
    orders.sql:7:1: warning: Flink 1.20 has no option 'paralelism.default': did you mean 'parallelism.default'?
    orders.sql:12:1: error: this DROP TABLE would be done before the INSERT of line 8, as all INSERTs start together when the script ends: put it above that
    ");
    assert_eq!(ran.notes, "");
    let error = ran.result.expect_err("a wrong script");
    assert_eq!(error.kind(), Kind::Invalid);
    let said = without(directory.path(), &error.to_string());
    assert_eq!(said, "the script orders.sql has 1 error");
}

#[test]
fn check_as_json_is_one_value_also_for_a_wrong_script() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = script(directory.path(), SCRIPT);
    let ran = called(&["sql", "check", path.to_str().expect("a path")], true);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(report["statements"], 5);
    assert_eq!(report["flinkVersion"], Value::Null);
    let codes: Vec<&str> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| finding["code"].as_str().expect("a code"))
        .collect();
    assert_eq!(codes, ["unknownKey", "afterInsert"]);
    assert!(matches!(ran.result, Err(Error::Script { .. })));
}

#[test]
fn a_jar_of_the_job_brings_its_connectors() {
    let directory = tempfile::tempdir().expect("a directory");
    let good = SCRIPT.replace("DROP TABLE hourly;\n", "").replace("paralelism", "parallelism");
    let path = script(directory.path(), &good);
    let jar = directory.path().join("connector.jar");
    write_jar(&jar);
    let line = |with: &[&str]| {
        let fixed = ["sql", "check", path.to_str().expect("a path"), "--flink-version", "1.20.5"];
        called(&[&fixed, with].concat(), false)
    };
    let without_jar = line(&[]);
    assert!(without_jar.out.contains("'kafka'") && without_jar.result.is_ok());
    let with_jar = line(&["--jar", jar.to_str().expect("a path")]);
    assert!(with_jar.result.is_ok());
    assert_eq!(without(directory.path(), &with_jar.out), "orders.sql is good: 4 statements.\n");
}

#[test]
fn what_is_no_script_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let binary = directory.path().join("binary.sql");
    std::fs::write(&binary, [0xFF, 0xFE]).expect("a file");
    let error = called(&["sql", "check", binary.to_str().expect("a path")], false).result;
    assert_eq!(error.expect_err("no text").kind(), Kind::Invalid);
    let error = called(&["sql", "split", "/nowhere/orders.sql"], false).result;
    assert_eq!(error.expect_err("no file").kind(), Kind::NotFound);
    let line = ["flumen", "sql", "check", "a.sql", "--flink-version", "1.20"];
    assert!(Program::try_parse_from(line).is_err());
}

const WITH_VARIABLES: &str = "\
CREATE TABLE ${table} (id BIGINT) WITH ('connector' = 'print', 'password' = '${secret:db/password}');
INSERT INTO ${table} SELECT ${number};
";

#[test]
fn variables_have_their_values_and_places_stay_those_of_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = script(directory.path(), WITH_VARIABLES);
    let path = path.to_str().expect("a path");
    let variables = ["--var", "table=a\nb", "--var", "number=1"];
    let ran = called(&[&["sql", "split", path], &variables[..]].concat(), false);
    let out = without(directory.path(), &ran.out);
    assert_eq!(out.lines().last(), Some("orders.sql:2:1: INSERT: INSERT INTO a b SELECT 1"));
    let ran = called(&[&["sql", "check", path], &variables[..]].concat(), false);
    assert!(ran.result.is_ok(), "{}", ran.out);
    let ran = called(&["sql", "check", path, "--var", "table=t", "--var", "numbr=1"], true);
    assert_eq!(ran.result.expect_err("an error").kind(), Kind::Invalid);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let found: Vec<_> = report["findings"].as_array().expect("findings").iter().collect();
    let told = |at: usize| {
        (found[at]["code"].as_str(), found[at]["line"].as_u64(), found[at]["column"].as_u64())
    };
    assert_eq!(told(0), (Some("unusedVariable"), Some(1), Some(1)));
    assert_eq!(told(1), (Some("unknownVariable"), Some(2), Some(29)));
    let error = Program::try_parse_from(["flumen", "sql", "check", path, "--var", "a b=1"]);
    let error = error.expect_err("no name").to_string();
    assert!(error.contains("name of a variable"), "{error}");
}
