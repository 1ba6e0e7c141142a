//! What the jars of a job are refused for, and warned of, before anything is made.

use flumen_control::{Applied, ApplyJob, Error, Terms, UploadedArtifact};
use flumen_model::{ArtifactRole, Kind};
use flumen_testkit::{artifact_jar, jar, main_class, program};
use serde_json::{Value, json};

use crate::server::{JAR, TestServer, application, done, job, refusal};

async fn apply(
    server: &TestServer,
    file: Value,
    program: &[u8],
    more: &[(&str, ArtifactRole, Vec<u8>)],
) -> Result<Applied, Error> {
    server.upload(program).await;
    let mut apply = ApplyJob { terms: Terms::default(), ..application(file, program) };
    for (name, role, content) in more {
        let digest = server.upload(content).await;
        apply.artifacts.push(UploadedArtifact { name: (*name).to_owned(), digest, role: *role });
    }
    server.control().apply_job(&server.principal, apply).await.map(done)
}

async fn nothing_was_made(server: TestServer) {
    assert!(matches!(server.view().await, Err(Error::NotFound { .. })), "no job was made");
    server.finish().await;
}

#[tokio::test]
async fn a_main_class_that_is_not_there_is_refused_with_the_nearest() {
    let server = TestServer::start().await;
    let mut file = job();
    file["mainClass"] = json!("com.example.WordCuont");
    let error = apply(&server, file.clone(), &JAR, &[]).await.expect_err("no such class");
    assert_eq!((error.kind(), error.code()), (Kind::Invalid, "job.jars"));
    let text = error.to_string();
    assert!(
        text.starts_with(
            "job word-count would fail on Flink 1.20.5: the main class com.example.WordCuont"
        ),
        "{text}"
    );
    assert!(text.contains("com.example.WordCount"), "{text}");
    file.as_object_mut().unwrap().remove("mainClass");
    let (_, text) = refusal(apply(&server, file, &JAR, &[]).await);
    assert!(text.contains("job.jar names no main class in its manifest"), "{text}");
    nothing_was_made(server).await;
}

#[tokio::test]
async fn a_connector_for_another_minor_is_refused_with_the_one_to_take() {
    let server = TestServer::start().await;
    let kafka = artifact_jar("org.apache.flink:flink-sql-connector-kafka:3.3.0-1.19");
    let more = [("kafka.jar", ArtifactRole::Lib, kafka)];
    let (kind, text) = refusal(apply(&server, job(), &JAR, &more).await);
    assert_eq!(kind, Kind::Invalid);
    for words in ["kafka.jar was built for Flink 1.19", "the job is for 1.20.5", "3.4.0-1.20"] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    nothing_was_made(server).await;
}

#[tokio::test]
async fn another_scala_than_that_of_the_distribution_is_warned_of() {
    let server = TestServer::start().await;
    let classes = ["com/example/WordCount", "x/A"].map(main_class);
    let own = b"groupId=x\nartifactId=job_2.13\nversion=1\n";
    let scala = jar(&[
        ("com/example/WordCount.class", &classes[0]),
        ("META-INF/maven/x/job/pom.properties", own),
    ]);
    let warnings = apply(&server, job(), &scala, &[]).await.unwrap().warnings;
    assert_eq!(warnings, [""; 0], "the distribution has no Scala");
    server.operation_ended(server.cancel().await).await;
    server.world.directory.write("flink/lib/flink-scala_2.12-1.20.5.jar", "");
    let mut changed = job();
    changed["arguments"] = json!(["--changed"]);
    let warnings = apply(&server, changed.clone(), &scala, &[]).await.unwrap().warnings;
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.contains("job.jar was built for Scala 2.13 (x:job_2.13:1)"), "{warning}");
    server.operation_ended(server.cancel().await).await;
    changed["configuration"] = json!({"classloader.parent-first-patterns.default": "java."});
    let warnings = apply(&server, changed, &scala, &[]).await.unwrap().warnings;
    assert_eq!(warnings, [""; 0], "the job has its own Scala");
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn other_classes_than_those_of_the_distribution_are_warned_of() {
    let server = TestServer::start().await;
    let (logger, ours) = (main_class("org/slf4j/Logger"), main_class("com/example/WordCount"));
    let other = [logger.as_slice(), &[0]].concat();
    let own = jar(&[
        ("com/example/WordCount.class", ours.as_slice()),
        ("org/slf4j/Logger.class", other.as_slice()),
    ]);
    let lib = server.world.directory.join("flink/lib/log.jar");
    std::fs::write(&lib, jar(&[("org/slf4j/Logger.class", logger.as_slice())])).unwrap();
    let warnings = apply(&server, job(), &own, &[]).await.unwrap().warnings;
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.starts_with("a class is in job.jar and in the image"), "{warning}");
    server.operation_ended(server.cancel().await).await;
    let mut file = job();
    file["configuration"] = json!({"classloader.parent-first-patterns.default": "java."});
    let warnings = apply(&server, file, &own, &[]).await.unwrap().warnings;
    assert_eq!(warnings, [""; 0], "the job has its own");
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn a_jar_is_looked_into_once_and_again_where_that_was_not_written_down() {
    let server = TestServer::start().await;
    let mut file = job();
    file["mainClass"] = json!("no.such.Job");
    let refused = || async { refusal(apply(&server, file.clone(), &JAR, &[]).await).1 };
    let said = refused().await;
    let digest = server.upload(&JAR).await;
    let kept = server.world.directory.join("data/artifacts").join(digest.hex());
    let beside = kept.with_extension("facts");
    let facts = std::fs::read_to_string(&beside).unwrap();
    std::fs::write(&beside, facts.replace("com.example.WordCount", "no.such.Job")).unwrap();
    let applied = apply(&server, file.clone(), &JAR, &[]).await;
    assert!(applied.is_ok(), "the jar itself was not read: {applied:?}");
    server.operation_ended(server.delete().await).await;
    server.until_gone().await;
    for unreadable in ["", "{", r#"{"form":0,"facts":{}}"#] {
        std::fs::write(&beside, unreadable).unwrap();
        assert_eq!(refused().await, said);
        assert_eq!(std::fs::read_to_string(&beside).unwrap(), facts);
    }
    nothing_was_made(server).await;
}

#[tokio::test]
async fn a_truncated_jar_is_refused_by_its_name() {
    let server = TestServer::start().await;
    let whole = program("truncated");
    let (kind, text) = refusal(apply(&server, job(), &whole[..whole.len() / 2], &[]).await);
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("job.jar cannot be looked into: this is no jar"), "{text}");
    nothing_was_made(server).await;
}

#[tokio::test]
async fn a_secret_to_pull_with_that_is_not_there_is_warned_of() {
    let server = TestServer::start().await;
    let mut file = job();
    file["configuration"] = json!({"kubernetes.container.image.pull-secrets": "there;gone"});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "there"}});
    server.world.create(secret).await;
    let warnings = apply(&server, file, &JAR, &[]).await.unwrap().warnings;
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.starts_with("the Secret gone, ") && warning.contains("default"), "{warning}");
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}
