//! SQL jobs, as far as Flink is not needed.

use flumen_control::{Applied, ApplyJob, Error, Terms, UploadedArtifact};
use flumen_model::{ArtifactRole, Kind};
use serde_json::{Value, json};

use crate::server::{TestServer, application, environment, name, refusal};

const SCRIPT: &str = "CREATE TABLE a (n INT) WITH ('connector' = 'datagen');
CREATE TABLE b (n INT) WITH ('connector' = 'kafka', 'format' = 'json');
INSERT INTO b SELECT n FROM a;
";

async fn apply(server: &TestServer, file: Value, script: &[u8]) -> Result<Applied, Error> {
    let digest = server.upload(script).await;
    let artifact =
        UploadedArtifact { name: "a.sql".to_owned(), digest, role: ArtifactRole::Script };
    let apply =
        ApplyJob { artifacts: vec![artifact], terms: Terms::default(), ..application(file, b"") };
    server.control().apply_job(&server.principal, apply).await
}

fn job(more: &Value) -> Value {
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
    let applied = apply(&server, job(&json!({})), SCRIPT.as_bytes()).await.unwrap();
    let [warning] = &applied.warnings[..] else { panic!("{:?}", applied.warnings) };
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

    let again = apply(&server, job(&json!({})), SCRIPT.as_bytes()).await.unwrap();
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
        let (kind, text) = refusal(apply(&server, job(&json!({})), script).await);
        assert_eq!(kind, Kind::Invalid, "{text}");
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let jar =
        ApplyJob { terms: Terms::default(), ..application(job(&json!({})), &crate::server::JAR) };
    let (_, text) = refusal(server.control().apply_job(&server.principal, jar).await);
    assert!(text.contains("is no script that was uploaded"), "{text}");
    assert!(matches!(server.view().await, Err(Error::NotFound { .. })), "no job was made");
    server.finish().await;
}
