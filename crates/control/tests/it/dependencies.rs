//! What a release is made from beside the job's own jar.

use std::path::Path;

use flumen_control::{ApplyJob, Error, Release, RollBackOrder, Terms};
use flumen_model::{ArtifactRole, Kind};
use flumen_testkit::jar;
use serde_json::json;

use crate::server::{JAR, TestServer, application, environment, job, name, refusal};

/// A Maven repository in a directory, which the server's settings name: g:a:1, which needs g:b:1.
fn maven_repository(server: &TestServer) -> std::path::PathBuf {
    let repository = server.world.directory.join("repository");
    let needs = "<dependencies><dependency><groupId>g</groupId><artifactId>b</artifactId><version>1</version>\
                 </dependency></dependencies>";
    put(&repository, "a", needs);
    put(&repository, "b", "");
    let settings = format!(
        "<settings><mirrors><mirror><id>here</id><mirrorOf>*</mirrorOf><url>file://{}</url></mirror></mirrors></settings>",
        repository.display()
    );
    std::fs::create_dir_all(server.world.directory.join("home/.m2")).unwrap();
    std::fs::write(server.world.directory.join("home/.m2/settings.xml"), settings).unwrap();
    repository
}

fn put(repository: &Path, artifact: &str, more: &str) {
    let directory = repository.join(format!("g/{artifact}/1"));
    std::fs::create_dir_all(&directory).unwrap();
    let pom = format!(
        "<project><groupId>g</groupId><artifactId>{artifact}</artifactId><version>1</version>{more}</project>"
    );
    std::fs::write(directory.join(format!("{artifact}-1.pom")), pom).unwrap();
    let jar = jar(&[("META-INF/artifact", artifact.as_bytes())]);
    std::fs::write(directory.join(format!("{artifact}-1.jar")), jar).unwrap();
}

async fn newest(server: &TestServer) -> Release {
    let releases = server.control().releases(&server.principal, &environment(), &name()).await;
    releases.unwrap().remove(0)
}

fn with_maven(role: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut file = job();
    file["dependencies"] = json!([{"maven": "g:a:1", "role": role}]);
    if let Some(exclude) = more.as_array() {
        file["dependencies"][0]["exclude"] = json!(exclude);
    }
    file
}

#[tokio::test]
async fn what_is_named_by_maven_coordinates_is_fetched_with_what_it_needs_and_kept() {
    let server = TestServer::start().await;
    let repository = maven_repository(&server);
    server.apply(with_maven("lib", &json!(null))).await.unwrap();
    let release = newest(&server).await;
    let shown: Vec<_> = release
        .content
        .artifacts
        .iter()
        .map(|one| (one.name.as_str(), one.role, one.maven.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("job.jar", ArtifactRole::Usrlib, None),
            ("a-1.jar", ArtifactRole::Lib, Some("g:a:jar:1")),
            ("b-1.jar", ArtifactRole::Lib, Some("g:b:jar:1")),
        ]
    );
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;

    // The repository is away, and nothing is needed of it.
    std::fs::remove_dir_all(repository).unwrap();
    let again = server.apply(with_maven("lib", &json!(null))).await.unwrap();
    assert_eq!(again.operation, None);
    server.operation_ended(server.cancel().await).await;

    let fewer = server.apply(with_maven("lib", &json!(["g:b"]))).await.unwrap();
    assert!(fewer.operation.is_some(), "without g:b it is another release");
    assert_eq!(newest(&server).await.content.artifacts.len(), 2);
    server.operation_ended(server.cancel().await).await;

    let place = (&environment(), &name());
    let order = RollBackOrder { release: 1, start: false, force: false };
    let control = server.control();
    let back = control.roll_back_job(&server.principal, place, order, Terms::default()).await;
    assert_eq!(back.unwrap().job.job.release, release.id, "the very same files");
    server.finish().await;
}

#[tokio::test]
async fn each_file_has_the_role_of_what_it_is_there_for_also_where_one_is_named_twice() {
    let server = TestServer::start().await;
    maven_repository(&server);
    let mut file = job();
    file["dependencies"] = json!([
        {"maven": "g:a:1", "role": "lib", "exclude": ["g:b"]}, {"maven": "g:a:1", "role": "lib", "exclude": ["g:b"]},
        {"maven": "g:b:1"},
    ]);
    server.apply(file).await.unwrap();
    let artifacts = newest(&server).await.content.artifacts;
    let roles: Vec<_> = artifacts.iter().map(|one| (one.name.as_str(), one.role)).collect();
    assert_eq!(
        roles,
        [
            ("job.jar", ArtifactRole::Usrlib),
            ("a-1.jar", ArtifactRole::Lib),
            ("b-1.jar", ArtifactRole::Usrlib),
        ]
    );
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn what_cannot_be_fetched_is_named_and_nothing_is_made() {
    let server = TestServer::start().await;
    maven_repository(&server);
    let refused = |file| {
        let apply = ApplyJob { terms: Terms::default(), ..application(file, &JAR) };
        async { refusal(server.control().apply_job(&server.principal, apply).await) }
    };
    let mut missing = job();
    missing["dependencies"] = json!([{"maven": "g:nobody:1"}]);
    let (kind, text) = refused(missing).await;
    assert_eq!(kind, Kind::NotFound);
    assert!(text.contains("word-count") && text.contains("g:nobody:1"), "{text}");
    let (kind, text) = refused(with_maven("plugin", &json!(null))).await;
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("g:a:1 depends on g:b:jar:1"), "{text}");
    let (kind, text) = refused(with_maven("lib", &json!(["nonsense"]))).await;
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("nonsense"), "{text}");
    std::fs::write(server.world.directory.join("home/.m2/settings.xml"), "<html/>").unwrap();
    let (kind, text) = refused(with_maven("lib", &json!(null))).await;
    assert_eq!(kind, Kind::Unavailable);
    assert!(text.contains("settings.xml"), "{text}");
    assert!(matches!(server.view().await, Err(Error::NotFound { .. })), "no job was made");
    server.finish().await;
}
