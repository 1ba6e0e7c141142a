//! What the release policy of a server denies.

use flumen_control::{Error, OperationState, Terms, UploadedArtifact};
use flumen_model::{ArtifactRole, Kind};
use flumen_release_policy::Policy;
use flumen_testkit::{artifact_jar, program};
use serde_json::json;

use crate::{
    dependencies::{maven_repository, with_maven},
    server::{JAR, TestServer, application, done, job, refusal},
    world::World,
};

async fn server(policy: &str) -> TestServer {
    let mut world = World::start().await;
    world.release_policy = Some(Policy::parse("policy.yaml", policy).unwrap());
    TestServer::start_in(world).await
}

async fn no_job_was_made(server: TestServer) {
    assert!(matches!(server.view().await, Err(Error::NotFound { .. })), "no job was made");
    server.finish().await;
}

#[tokio::test]
async fn what_a_dependency_brings_is_refused_before_it_is_fetched() {
    let server =
        server("artifacts: {deny: [{artifact: 'g:b', versions: '[,2)', reason: old}]}").await;
    let repository = maven_repository(&server);
    std::fs::remove_file(repository.join("g/b/1/b-1.jar")).unwrap();
    let id = server.prepare(application(with_maven("lib", &json!(null)), &JAR)).await.unwrap();
    let operation = server.operation_ended(id).await;
    assert_eq!(operation.state, OperationState::Failed);
    let refused = operation.refusal.expect("it says why");
    assert_eq!((refused.kind, refused.code.as_str()), (Kind::Invalid, "job.policy"));
    assert_eq!(
        refused.message,
        "job word-count cannot be released: g:b:1, which came by g:a:1, cannot be in a release: the release policy denies g:b in [,2) (old); take another version of g:a:1, or leave it out with exclude: [g:b]"
    );
    assert!(refused.hint.expect("a hint").contains("--release-policy"));
    no_job_was_made(server).await;
}

#[tokio::test]
async fn licences_of_poms_are_refused_or_warned_of_and_what_is_allowed_is_released() {
    let server = server("licenses: {deny: [AGPL-3.0-only], unknown: warn}").await;
    let repository = maven_repository(&server);
    let pom = repository.join("g/b/1/b-1.pom");
    let license = |name: &str| {
        let text = std::fs::read_to_string(&pom).unwrap();
        let text = text.split("<licenses>").next().unwrap().replace("</project>", "");
        let licenses = format!("<licenses><license><name>{name}</name></license></licenses>");
        std::fs::write(&pom, format!("{text}{licenses}</project>")).unwrap();
        // What was fetched stays in the local repository.
        let _ = std::fs::remove_dir_all(server.world.directory.join("home/.m2/repository"));
    };
    license("GNU AGPL 3.0");
    let file = || with_maven("lib", &json!(null));
    let id = server.prepare(application(file(), &JAR)).await.unwrap();
    let refused = server.operation_ended(id).await.refusal.expect("it is refused");
    assert!(refused.message.contains("denies its licence, AGPL-3.0-only"), "{}", refused.message);
    license("The Apache Software License, Version 2.0");
    let mut application = application(file(), &JAR);
    application.start = false;
    let id = server.prepare(application).await.unwrap();
    let made = server.released(id).await.outcome.expect("it is released");
    assert_eq!(made.warnings, ["g:a:1 says no licence"]);
    server.finish().await;
}

#[tokio::test]
async fn what_a_jar_was_made_of_is_refused_too() {
    let server = server("artifacts: {deny: [{artifact: 'log4j:*'}]}").await;
    let fat = artifact_jar("log4j:log4j:1.2.17");
    let own = program("own");
    server.upload(&own).await;
    let mut apply = application(job(), &own);
    let digest = server.upload(&fat).await;
    apply.artifacts.push(UploadedArtifact {
        name: "fat.jar".into(),
        digest,
        role: ArtifactRole::Lib,
    });
    apply.terms = Terms::default();
    let applied = server.control().apply_job(&server.principal, apply).await.map(done);
    let (kind, text) = refusal(applied);
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("log4j:log4j:1.2.17, which is inside fat.jar,"), "{text}");
    no_job_was_made(server).await;
}
