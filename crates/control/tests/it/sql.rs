//! SQL jobs, as far as Flink is not needed.

use flumen_control::{ApplyJob, Change, Error, Operation, OperationState, UploadedArtifact};
use flumen_model::{ArtifactRole, Digest, Kind};
use serde_json::{Value, json};

use crate::server::{JAR, TestServer, application, done, environment, name};

const SCRIPT: &str = "CREATE TABLE a (n INT) WITH ('connector' = 'datagen');
CREATE TABLE b (n INT) WITH ('connector' = 'kafka', 'format' = 'json');
INSERT INTO b SELECT n FROM a;
";

/// The job file with the script that was uploaded.
pub(crate) fn sql_application(file: Value, digest: Digest) -> ApplyJob {
    let artifact =
        UploadedArtifact { name: "a.sql".to_owned(), digest, role: ArtifactRole::Script };
    ApplyJob { artifacts: vec![artifact], ..application(file, b"") }
}

async fn refused(server: &TestServer, apply: ApplyJob) -> Operation {
    let operation = server.operation_ended(server.prepare(apply).await.unwrap()).await;
    assert_eq!(operation.state, OperationState::Failed, "{operation:?}");
    let refusal = operation.refusal.clone().expect("a request would be refused for it");
    assert_eq!((refusal.kind, refusal.code.as_str()), (Kind::Invalid, "invalid"), "{refusal:?}");
    operation
}

pub(crate) fn sql_job(more: &Value) -> Value {
    let mut file = json!({
        "name": "word-count", "environment": "local", "flinkVersion": "1.20.5", "kind": "sql", "artifact": "x/a.sql",
    });
    for (key, value) in more.as_object().unwrap() {
        file[key] = value.clone();
    }
    file
}

#[tokio::test]
async fn a_script_is_released_with_what_runs_it() {
    let server = TestServer::start().await;
    let digest = server.upload(SCRIPT.as_bytes()).await;
    let file = || sql_application(sql_job(&json!({})), digest.clone());
    let operation = server.released(server.prepare(file()).await.unwrap()).await;
    let outcome = operation.outcome.expect("the release is made");
    assert_eq!(outcome.change, Change::Created);
    let [warning] = &outcome.warnings[..] else { panic!("{:?}", outcome.warnings) };
    assert!(warning.starts_with("a.sql:2:") && warning.contains("'kafka'"), "{warning}");
    let release = server.control().release(&server.principal, (&environment(), &name()), 1).await;
    let artifacts = release.unwrap().content.artifacts;
    let names: Vec<_> = artifacts.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["a.sql", "flumen-sql-runner.jar", "flumen-sql-statements"]);
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let objects = server.runs().await.remove(0).objects.expect("rendered");
    for words in [
        "flumen.sql.SqlRunner",
        "/opt/flink/usrlib/flumen-sql-runner.jar",
        "/opt/flink/usrlib/flumen-sql-statements",
    ] {
        assert!(objects.contains(words), "{words} is not in {objects}");
    }

    let again = server.control().apply_job(&server.principal, file()).await.unwrap();
    let again = done(again);
    assert_eq!(again.operation, None, "what Flumen adds is no change");
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn a_script_that_flink_would_refuse_is_refused_with_its_lines() {
    let server = TestServer::start().await;
    for (script, words) in [
        (&b"CREATE TABEL a (n INT);\nINSERT INTO b SELECT n FROM a"[..], "a.sql:1:1: "),
        (b"INSERT INTO b SELECT 'n FROM a;\n", "a.sql:1:22: the text has no end"),
        (b"SHOW TABLES;", "nothing in the script starts a job"),
        (b"INSERT INTO b SELECT 1;\xff", "a.sql cannot be read: it is not UTF-8"),
    ] {
        let apply = sql_application(sql_job(&json!({})), server.upload(script).await);
        let operation = refused(&server, apply).await;
        let steps: Vec<_> = operation.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(steps, ["check-script"]);
        let text = operation.error.expect("a reason");
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let jar = refused(&server, application(sql_job(&json!({})), &JAR)).await;
    let text = jar.error.expect("a reason");
    assert!(text.contains("is no script that was uploaded"), "{text}");
    assert!(matches!(server.view().await, Err(Error::NotFound { .. })), "no job was made");
    server.finish().await;
}

const WITH_VARIABLES: &str = "CREATE TABLE a (n INT) WITH ('connector' = 'datagen');
CREATE TABLE b (n INT) WITH ('connector' = '${sink}',
  'x' = '${secret:db/password}');
INSERT INTO b SELECT n FROM a WHERE n > ${least};
";

fn secret(entry: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"},
        "data": {entry: "aHVudGVyMg=="},
    })
}

async fn with_variables(server: &TestServer, variables: Value) -> ApplyJob {
    let digest = server.upload(WITH_VARIABLES.as_bytes()).await;
    sql_application(sql_job(&json!({ "variables": variables })), digest)
}

/// What the runner reads, of the release with this number.
async fn statements(server: &TestServer, number: i64) -> String {
    let place = (&environment(), &name());
    let release = server.control().release(&server.principal, place, number).await.unwrap();
    let artifacts = release.content.artifacts;
    let digest = &artifacts.last().expect("an artifact").digest;
    let path = server.world.directory.join("data/artifacts").join(digest.hex());
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn a_release_holds_the_script_with_its_values_and_without_its_secrets() {
    let server = TestServer::start().await;
    server.world.create(secret("password")).await;
    let values = json!({"sink": "it's", "least": "5"});
    let apply = with_variables(&server, values).await;
    let operation = server.released(server.prepare(apply.clone()).await.unwrap()).await;
    assert_eq!(operation.outcome.expect("the release is made").change, Change::Created);
    let text = statements(&server, 1).await;
    for words in ["'connector' = 'it''s'", "'${secret:db/password}'", "n > 5\n", " s:21:3:10 "] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    assert!(!text.contains("hunter2"));
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let objects = server.runs().await.remove(0).objects.expect("rendered");
    assert!(objects.contains("\"/opt/flumen/secrets/db\""), "{objects}");

    let again = done(server.control().apply_job(&server.principal, apply).await.unwrap());
    assert_eq!(again.change, Change::Unchanged);
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn variables_without_values_and_secrets_that_are_not_there_are_named() {
    let server = TestServer::start().await;
    let apply = with_variables(&server, json!({"sinks": "x", "least": "5"})).await;
    let text = refused(&server, apply).await.error.expect("a reason");
    let words = "a.sql:2:45: the variable sink has no value; did you mean sinks?";
    assert!(text.contains(words), "{text}");
    let no_entry = "the entry password of the Secret default/db,";
    for (there, words) in [(None, "the Secret default/db,"), (Some("user"), no_entry)] {
        if let Some(entry) = there {
            server.world.create(secret(entry)).await;
        }
        let apply = with_variables(&server, json!({"sink": "x", "least": "5"})).await;
        let operation = server.operation_ended(server.prepare(apply).await.unwrap()).await;
        let refusal = operation.refusal.expect("it is refused");
        assert_eq!((refusal.kind, refusal.code.as_str()), (Kind::NotFound, "not_found"));
        assert!(refusal.message.contains(words), "{}", refusal.message);
    }
    server.finish().await;
}
