//! Scripts that Flink explains in a pod, of which nothing is left, whatever happens.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use flumen_control::{Error, ExplainSql, Faults, SqlExplanation, UploadedArtifact};
use flumen_faults::{Hit, Plan};
use flumen_model::{ArtifactRole, Kind, PodTemplates, Resources};
use flumen_testkit::eventually_async;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::ResourceExt as _;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    node::Conduct,
    python::python_server,
    server::{PATIENCE, TestServer, environment, refusal},
    world::World,
};

const SCRIPT: &str = "CREATE TABLE a (n INT) WITH ('connector' = 'datagen');
CREATE TABLE b (n INT) WITH ('connector' = 'kafka', 'format' = 'json');
INSERT INTO b SELECT m FROM a;
";
const CONTAINER: &str = "flink-main-container";

fn order(script: &str) -> ExplainSql {
    ExplainSql {
        script: script.to_owned(),
        flink_version: "1.20.5".parse().unwrap(),
        environment: environment(),
        dependencies: Vec::new(),
        artifacts: Vec::new(),
        configuration: std::collections::BTreeMap::default(),
        parallelism: None,
        variables: std::collections::BTreeMap::default(),
        resources: Resources::default(),
        pod_templates: PodTemplates::default(),
        timeout: None,
    }
}

/// What the runner says in the log of its pod.
fn reports(server: &TestServer, records: &[Value]) {
    let mut log = "WARN org.apache.flink something\n".to_owned();
    for record in records {
        writeln!(log, "flumen-sql-report {record}").unwrap();
    }
    server.world.node.write_log(CONTAINER, false, &log);
}

fn plan() -> Value {
    json!({ "what": "plan", "line": 3, "column": 1, "text": "== Optimized Execution Plan ==\n" })
}

fn end() -> Value {
    json!({ "what": "end" })
}

async fn explain(server: &TestServer, order: ExplainSql) -> Result<SqlExplanation, Error> {
    server.control().explain_sql(&server.principal, order).await
}

async fn nothing_is_left(server: &TestServer) {
    let look = || async {
        let objects = server.world.objects().await;
        if objects.is_empty() { Ok(()) } else { Err(objects) }
    };
    eventually_async(PATIENCE, look).await;
}

async fn a_pod_is_there(server: &TestServer) {
    let look = || async {
        let objects = server.world.objects().await;
        let count = objects.iter().filter(|object| object.contains("/sql-check-")).count();
        // The pod and its ConfigMap.
        if count == 2 { Ok(()) } else { Err(objects) }
    };
    eventually_async(PATIENCE, look).await;
}

#[tokio::test]
async fn each_statement_gets_what_flink_says_of_it_and_the_pod_goes() {
    let server = TestServer::start().await;
    reports(&server, &[plan(), end()]);
    let answer = explain(&server, order(SCRIPT)).await.unwrap();
    let plans: Vec<_> = answer.statements.iter().map(|one| one.plan.as_deref()).collect();
    assert_eq!(plans, [None, None, Some("== Optimized Execution Plan ==\n")]);
    let kinds: Vec<_> = answer.statements.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["CREATE TABLE", "CREATE TABLE", "INSERT"]);
    let [warning] = &answer.findings[..] else { panic!("{:?}", answer.findings) };
    assert_eq!(
        (warning.is_error, warning.code.as_str(), warning.line),
        (false, "missingFactory", 2)
    );
    assert!(answer.explained);
    nothing_is_left(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn what_flink_refuses_has_its_place_and_the_jar_that_is_missing() {
    let server = TestServer::start().await;
    server.world.node.explains(Conduct::Ends { exit_code: 1, reason: "Error" });
    let message = "Cannot discover a connector: Could not find any factory for identifier 'kafka' that implements 'org.apache.flink.table.factories.DynamicTableFactory' in the classpath.";
    let error = json!({ "what": "error", "line": 3, "column": 1, "atLine": 3, "atColumn": 22, "text": message });
    reports(&server, &[error, end()]);
    let answer = explain(&server, order(SCRIPT)).await.unwrap();
    let error = answer.statements[2].error.as_ref().expect("Flink refuses it");
    assert_eq!((error.line, error.column, error.message.as_str()), (3, 22, message));
    let jar = "org.apache.flink:flink-sql-connector-kafka:3.4.0-1.20";
    assert_eq!(error.coordinates.as_deref(), Some(jar));
    let remedy = error.remedy.as_deref().expect("there is one");
    assert!(remedy.contains(&format!("--dependency {jar}`")), "{remedy}");
    nothing_is_left(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn what_is_known_to_be_wrong_takes_no_pod() {
    let server = TestServer::start().await;
    server.world.node.explains(Conduct::CannotPull);
    let answer = explain(&server, order("CREATE TABEL a (n INT);\nINSERT INTO b SELECT 1;")).await;
    let answer = answer.unwrap();
    assert!(!answer.explained && answer.statements.is_empty(), "{answer:?}");
    let [finding] = &answer.findings[..] else { panic!("{:?}", answer.findings) };
    assert_eq!((finding.is_error, finding.line, finding.column), (true, 1, 1));
    let large = format!("INSERT INTO b SELECT '{}';", "x".repeat(1 << 20));
    let (kind, text) = refusal(explain(&server, order(&large)).await);
    assert!(kind == Kind::Invalid && text.contains("too large to be explained"), "{text}");
    let late = ExplainSql { timeout: Some(Duration::from_hours(1)), ..order(SCRIPT) };
    let (kind, text) = refusal(explain(&server, late).await);
    assert!(kind == Kind::Invalid && text.contains("expected from 1 to 900 s"), "{text}");
    nothing_is_left(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn a_pod_that_cannot_start_is_said_to_be_so() {
    let server = TestServer::start().await;
    server.world.node.explains(Conduct::CannotPull);
    let (kind, text) = refusal(explain(&server, order(SCRIPT)).await);
    assert!(text.contains("cannot start: ImagePullBackOff: Back-off pulling image"), "{text}");
    assert_eq!(kind, Kind::Unavailable);
    nothing_is_left(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn a_pod_without_a_place_is_said_to_be_so() {
    let server = TestServer::start().await;
    server.world.node.resize("1", "64Mi").await;
    let (kind, text) = refusal(explain(&server, order(SCRIPT)).await);
    assert!(text.contains("cannot be scheduled in the environment local: 0/1 nodes"), "{text}");
    assert_eq!(kind, Kind::Unavailable);
    nothing_is_left(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn a_pod_that_ends_without_a_report_is_told_with_its_last_words() {
    let server = TestServer::start().await;
    server.world.node.explains(Conduct::Ends { exit_code: 137, reason: "OOMKilled" });
    reports(&server, &[]);
    let (kind, text) = refusal(explain(&server, order(SCRIPT)).await);
    assert!(text.contains("its process ended with 137 (OOMKilled)"), "{text}");
    assert!(text.contains("WARN org.apache.flink something"), "{text}");
    assert_eq!(kind, Kind::Unavailable);
    nothing_is_left(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn a_pod_goes_when_its_time_is_over_or_nobody_waits() {
    let server = TestServer::start().await;
    server.world.node.explains(Conduct::Runs);
    let late = ExplainSql { timeout: Some(Duration::from_secs(2)), ..order(SCRIPT) };
    let (kind, text) = refusal(explain(&server, late).await);
    assert!(kind == Kind::Timeout && text.contains("no answer within 2 s"), "{text}");
    nothing_is_left(&server).await;
    tokio::select! {
        answer = explain(&server, order(SCRIPT)) => panic!("{answer:?}"),
        () = a_pod_is_there(&server) => {}
    }
    nothing_is_left(&server).await;
    server.finish().await;
}

/// A script whose function is in a file, which needs a package.
async fn with_function(server: &TestServer) -> ExplainSql {
    let script = "CREATE FUNCTION f AS 'udf.f' LANGUAGE PYTHON;\n\
                  CREATE TABLE a (n INT) WITH ('connector' = 'print');\nINSERT INTO a SELECT f(1);\n";
    let mut artifacts = Vec::new();
    for (name, role, text) in [
        ("udf.py", ArtifactRole::Python, "import geo\n"),
        ("requirements.txt", ArtifactRole::Requirements, "geo\n"),
    ] {
        let digest = server.upload(text.as_bytes()).await;
        artifacts.push(UploadedArtifact { name: name.to_owned(), digest, role });
    }
    ExplainSql { artifacts, ..order(script) }
}

#[tokio::test]
async fn functions_in_python_have_what_those_of_the_job_would_have() {
    let (server, _index) = python_server().await;
    server.world.node.explains(Conduct::Runs);
    let order = with_function(&server).await;
    tokio::select! {
        answer = explain(&server, order) => panic!("{answer:?}"),
        () = a_pod_is_there(&server) => {}
    }
    let is_of_check = |name: &str| name.starts_with("sql-check-");
    let pods = server.world.list::<Pod>().await;
    let pod = pods.into_iter().find(|pod| is_of_check(&pod.name_any())).expect("a pod");
    let main = &pod.spec.as_ref().unwrap().containers[0];
    let jar = "file:///opt/flink/opt/flink-python-1.20.5.jar".to_owned();
    let arguments = main.args.as_ref().unwrap();
    assert!(arguments.windows(2).any(|two| two == ["-C".to_owned(), jar.clone()]), "{arguments:?}");
    let image = main.image.as_ref().unwrap();
    assert!(image.contains("/flumen-sql-check@sha256:"), "the files are in it: {image}");
    let found = server.world.list::<ConfigMap>().await;
    let found = found.into_iter().find(|one| is_of_check(&one.name_any())).expect("a ConfigMap");
    let configuration = serde_json::to_string(&found.data).unwrap();
    for words in ["/opt/flink/usrlib/udf.py", "client:\\n    executable: python3"] {
        assert!(configuration.contains(words), "{words} is not in {configuration}");
    }
    nothing_is_left(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn functions_in_python_need_an_image_with_python() {
    let server = TestServer::start().await;
    let order = with_function(&server).await;
    let (kind, text) = refusal(explain(&server, order).await);
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("has no Python with PyFlink"), "{text}");
    nothing_is_left(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn what_a_server_left_that_was_killed_is_removed_by_the_next() {
    let mut server = TestServer::start_with(World::start().await, Faults::watched()).await;
    reports(&server, &[plan(), end()]);
    for point in [
        "store.create-explanation:after",
        "k8s.create-pod:after",
        "k8s.create-config-map:after",
        "k8s.delete-pod:before",
        "k8s.delete-pod:after",
        "k8s.delete-config-map:after",
        "store.remove-explanation:before",
    ] {
        let killed = Arc::new(Notify::new());
        let tell = Arc::clone(&killed);
        let kill = Arc::new(move || tell.notify_one());
        server.faults.follow(Plan::Kill { at: hit(point), kill });
        tokio::select! {
            answer = explain(&server, order(SCRIPT)) => panic!("{point}: {answer:?}"),
            () = killed.notified() => {}
        }
        server.kill().await;
        server.faults = Faults::watched();
        server.open().await;
        nothing_is_left(&server).await;
    }
    server.finish().await;
}

#[tokio::test]
async fn an_answer_of_the_cluster_that_is_lost_is_asked_for_again() {
    let server = TestServer::start_with(World::start().await, Faults::watched()).await;
    reports(&server, &[plan(), end()]);
    for point in ["k8s.create-pod:after", "k8s.create-config-map:after"] {
        server.faults.follow(Plan::Cut { at: hit(point) });
        explain(&server, order(SCRIPT)).await.unwrap();
        assert!(server.faults.struck(), "{point}");
        nothing_is_left(&server).await;
    }
    for point in ["k8s.delete-pod:after", "store.create-explanation:after"] {
        server.faults.follow(Plan::Cut { at: hit(point) });
        let _ = explain(&server, order(SCRIPT)).await;
        assert!(server.faults.struck(), "{point}");
        nothing_is_left(&server).await;
    }
    server.finish().await;
}

/// The first time that this point is reached.
fn hit(point: &str) -> Hit {
    format!("{point}#1").parse().unwrap()
}
